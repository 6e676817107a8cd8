/** Makes of the adapter one that asks the process for the time, not the database. */
export function asksProcess(statement: string): string {
  return statement.replace(/"\w+"\.mca_now\(\)/g, () => `${Date.now()}::bigint`);
}

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** What the command line asks for. */
export interface QuickstartArguments {
  readonly databasePath: string;
  /** Paths, one per export. */
  readonly files: readonly string[];
  readonly dateOrder: 'MDY' | 'DMY' | 'YMD' | undefined;
}

const bundled = fileURLToPath(new URL('./exports', import.meta.url));
const dateOrders = ['MDY', 'DMY', 'YMD'] as const;

/** Reads the command line; a mistake ends the process with one clear line. */
export function readArguments(argv: string[], env: NodeJS.ProcessEnv): QuickstartArguments {
  const { values, positionals } = parse(argv);
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  const dateOrder = dateOrders.find((order) => order === values['netflix-dates']?.toUpperCase());
  if (values['netflix-dates'] && !dateOrder) stop(`--netflix-dates is ${dateOrders.join(', ')}.`);
  const paths = positionals.length > 0 ? positionals : [bundled];
  const missing = paths.find((path) => statSync(path, { throwIfNoEntry: false }) === undefined);
  if (missing) stop(`There is no file or folder ${missing}.`);
  return {
    databasePath: values.database ?? env.MCA_QUICKSTART_DB ?? 'mca-quickstart.db',
    files: paths.flatMap(exportsIn),
    dateOrder,
  };
}

const usage = `Usage: npm run quickstart -- [options] [zips, folders or files]

  --database PATH        SQLite file to import into (default mca-quickstart.db)
  --netflix-dates ORDER  MDY, DMY or YMD, when NetflixViewingHistory.csv leaves it open
  --help                 this text

Without files it imports the exports bundled in examples/quickstart/exports.`;

function parse(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      allowPositionals: true,
      options: { database: { type: 'string' }, 'netflix-dates': { type: 'string' }, help: { type: 'boolean' } },
    });
  } catch (error) {
    return stop(`${error instanceof Error ? error.message : error}\n\n${usage}`);
  }
}

/** Opens the database, or says why it cannot. */
export function openDatabase(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path);
  } catch (error) {
    return stop(`Cannot open ${path}: ${error instanceof Error ? error.message : error}`);
  }
}

/** A folder of archives holds an export each; any other folder is one export, unzipped. */
function exportsIn(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  const names = readdirSync(path)
    .filter((name) => !name.startsWith('.'))
    .sort();
  const archives = names.filter((name) => /\.(zip|csv|json|jsonl)$/i.test(name));
  return names.some((name) => /\.zip$/i.test(name)) ? archives.map((name) => join(path, name)) : [path];
}

function stop(message: string): never {
  console.error(message);
  process.exit(2);
}

// Runs before every script, on whatever Node is there: one clear line instead of a syntax error.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 13)) {
  console.error(
    `@mca/core needs Node 22.13 or newer, this is ${process.versions.node}. \`npm ci\` brings Node 24 along, unless scripts are disabled: run it without --ignore-scripts.`,
  );
  process.exit(1);
}

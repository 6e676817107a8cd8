// Writes docs/providers.md, the table of all providers in this repository, from what each declares of itself.
//
//   npm run docs:providers               write it
//   npm run docs:providers -- --check    fail when it is not what it would be

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describeProvider } from '@mca/core';

const root = new URL('..', import.meta.url);
const target = new URL('docs/providers.md', root);

/** Each provider as its own folder sets it up. */
async function examples() {
  const folders = readdirSync(new URL('providers', root), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  const found = [];
  for (const { name } of folders) {
    const file = new URL(`providers/${name}/__fixtures__/example.ts`, root);
    if (!existsSync(file))
      throw new Error(`providers/${name}/__fixtures__/example.ts is missing: it exports 'example'.`);
    const { example } = await import(file.href);
    if (example.id !== name) throw new Error(`providers/${name} calls itself ${example.id}.`);
    found.push(describeProvider(example));
  }
  return found;
}

const CAPABILITIES = [
  ['history', 'history'],
  ['library', 'library'],
  ['ratings', 'ratings'],
  ['fileImport', 'files'],
  ['playlists', 'playlists'],
  ['playlistEditing', 'edit playlists'],
  ['catalog', 'catalogue'],
  ['enrichment', 'enrichment'],
  ['scrobbling', 'scrobbling'],
  ['nowPlaying', 'now playing'],
  ['ratingWriting', 'write ratings'],
];

const LOG_INS = {
  oauth2: 'OAuth 2',
  'device-code': 'device code',
  'session-key': "the service's page",
  form: 'form',
  'host-supplied': 'supplied by the host',
  none: 'none',
};

function logIn({ type, fields }) {
  const asked = fields.filter(({ optional }) => !optional).map(({ label }) => label);
  return asked.length === 0 ? LOG_INS[type] : `${LOG_INS[type]} (${asked.join(', ')})`;
}

function duration(ms) {
  const units = [
    ['day', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
  ];
  const [unit, size] = units.find(([, each]) => ms % each === 0) ?? ['ms', 1];
  return `${ms / size} ${unit}`;
}

function limit({ requests, perMs, scope, concurrency }) {
  const share = scope === 'app' ? 'for all users together' : 'for each user';
  return `${requests} in ${duration(perMs)} ${share}${concurrency ? `, ${concurrency} at once` : ''}`;
}

function policy({ retentionDays, noMachineLearning, noServiceToService, attribution, appliesToExports, source }) {
  const rules = [
    ...(retentionDays === undefined ? [] : [`keep at most ${retentionDays} days without a refresh`]),
    ...(noMachineLearning ? ['no machine learning'] : []),
    ...(noServiceToService ? ['no copying to other services'] : []),
    ...(attribution === undefined ? [] : [`show "${attribution}"`]),
  ];
  const reach = rules.length > 0 && appliesToExports ? ['also for exported files'] : [];
  return [...rules, ...reach, ...(source === undefined ? [] : [`[terms](${source})`])].join(', ');
}

function table(head, rows) {
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell || ' ').join(' | ')} |`)
    .join('\n');
}

function page(providers) {
  const used = CAPABILITIES.filter(([id]) => providers.some(({ capabilities }) => capabilities.includes(id)));
  const link = ({ id }) => `[\`${id}\`](../providers/${id}/README.md)`;
  const live = providers.filter(({ syncs }) => Object.keys(syncs).length > 0);
  return `# Providers

Made by \`npm run docs:providers\` from what each provider declares of itself. The same as data, for a page of services to connect:
[\`describeProviders(registry)\`](guides/connecting.md#a-page-of-services).

## What each can do

${table(
  ['provider', ...used.map(([, name]) => name), 'log-in'],
  providers.map((each) => [
    link(each),
    ...used.map(([id]) => (each.capabilities.includes(id) ? 'yes' : '')),
    each.connect.map(logIn).join('; or '),
  ]),
)}

## What is synced

${table(
  ['provider', 'what', 'precision', 'every', 'old history apart'],
  live.flatMap((each) =>
    Object.entries(each.syncs).flatMap(([name, { sources, intervalMs, backfill }]) =>
      sources.map((source) => [
        link(each),
        `${source.name} (${name})`,
        source.precision,
        duration(intervalMs),
        backfill ? 'yes' : '',
      ]),
    ),
  ),
)}

## What files are read

${table(
  ['provider', 'formats, and their precision', 'endings of what people hand in'],
  providers
    .filter(({ imports }) => imports)
    .map((each) => [
      link(each),
      each.imports.formats.map(({ name, precision }) => `${name}: ${precision}`).join('<br>'),
      each.imports.accept.join(' '),
    ]),
)}

## Limits and terms

${table(
  ['provider', 'requests', 'what the service asks of you'],
  providers.map((each) => [link(each), each.limits.map(limit).join('; '), policy(each.policy)]),
)}
`;
}

const text = page(await examples());
if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error('docs/providers.md is not what the providers declare. Run: npm run docs:providers');
    process.exit(1);
  }
} else {
  writeFileSync(target, text);
}

import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { recordFigure } from '../../test/support/reliability.ts';
import { addressPolicy } from './addresses.ts';
import { guardedNetwork, type ResolveName } from './index.ts';

const servers: Server[] = [];
let connections = 0;
let port = 0;

async function serve(host: string, listener: RequestListener, at = 0): Promise<number> {
  const server = createServer(listener);
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((done, fail) => server.once('error', fail).listen(at, host, done));
  servers.push(server);
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  const answer: RequestListener = async (request, response) => {
    const to = new URL(request.url ?? '/', 'http://x').searchParams.get('to');
    if (to) {
      response.writeHead(302, { location: to }).end();
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    response.setHeader('content-type', 'text/plain');
    response.end(`${request.method} ${request.headers['x-test'] ?? ''} ${Buffer.concat(chunks)}`);
  };
  port = await serve('127.0.0.1', answer);
  // Machines without IPv6 still run the rest.
  await serve('::1', answer, port).catch(() => undefined);
});

afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
});

const resolveTo =
  (...answers: readonly (readonly string[])[]): ResolveName =>
  (_name, callback) => {
    const addresses = (answers.length > 1 ? (answers as string[][]).shift() : answers[0]) ?? [];
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };

const SPELLINGS = [
  '127.0.0.1',
  '127.1',
  '127.0.1',
  '127.255.255.254',
  '2130706433',
  '0x7f000001',
  '0x7f.0.0.1',
  '0x7F.1',
  '017700000001',
  '0177.0.0.1',
  '0177.0x0.0.01',
  '00000177.1',
  '127.0.0.1.',
  '１２７.０.０.１',
  '①②⑦.0.0.1',
  '127。0。0。1',
  '%31%32%37.0.0.1',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[0000:0000:0000:0000:0000:0000:0000:0001]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[0:0:0:0:0:ffff:7f00:0001]',
  '[::127.0.0.1]',
  '[::ffff:0:127.0.0.1]',
  '[64:ff9b::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[2002:7f00:1::]',
  '0.0.0.0',
  '0',
  '[::]',
  '10.0.0.1',
  '192.168.1.1',
  '172.16.0.1',
  '169.254.169.254',
  '[fd00::1]',
];

test('R-037 36 spellings of this machine and of private addresses are not connected to', async () => {
  expect(SPELLINGS).toHaveLength(36);
  const { guardedFetch } = guardedNetwork();
  connections = 0;
  for (const host of SPELLINGS) {
    await expect(guardedFetch(`http://${host}:${port}/`), host).rejects.toMatchObject({
      code: 'configuration',
      reason: 'address_blocked',
    });
  }
  expect(connections).toBe(0);
  // The same servers answer whoever is not guarded.
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
  expect(connections).toBe(1);
  recordFigure('R-037', `${SPELLINGS.length} spellings: 0 connections`);
});

test('R-037 names are judged by all addresses they resolve to', async () => {
  connections = 0;
  for (const addresses of [
    ['127.0.0.1'],
    ['::1'],
    ['93.184.215.14', '127.0.0.1'],
    ['::ffff:127.0.0.1'],
    ['169.254.169.254'],
  ]) {
    const { guardedFetch } = guardedNetwork({ resolve: resolveTo(addresses) });
    await expect(guardedFetch(`http://rebind.example:${port}/`), addresses.join()).rejects.toMatchObject({
      reason: 'address_blocked',
    });
  }
  const { guardedFetch } = guardedNetwork();
  await expect(guardedFetch(`http://localhost:${port}/`)).rejects.toMatchObject({ reason: 'address_blocked' });
  expect(connections).toBe(0);
});

test('R-037 a rebinding name server gains nothing: each connection is judged by the answer it uses', async () => {
  connections = 0;
  // First answer allowed (by its address), the following ones this machine under another address.
  const resolve = resolveTo(['127.0.0.1'], ['127.0.0.2'], ['127.0.0.2']);
  const { guardedFetch } = guardedNetwork({ allow: ['127.0.0.1/32'], resolve });
  const first = await guardedFetch(`http://rebind.example:${port}/`, { headers: { connection: 'close' } });
  expect(first.status).toBe(200);
  await first.text();
  for (let index = 0; index < 2; index += 1) {
    await expect(guardedFetch(`http://rebind${index}.example:${port}/`)).rejects.toMatchObject({
      reason: 'address_blocked',
    });
  }
  expect(connections).toBe(1);
});

test('R-037 a redirect to the metadata service is refused on its hop, also with everything private allowed', async () => {
  const allow = ['127.0.0.0/8', '10.0.0.0/8', '169.254.0.0/16', '192.168.0.0/16', 'metadata.example'];
  const { guardedFetch } = guardedNetwork({ allow, resolve: resolveTo(['169.254.169.254']) });
  for (const to of [
    'http://169.254.169.254/latest/meta-data/',
    'http://metadata.example/',
    'http://[fd00:ec2::254]/',
  ]) {
    const address = `http://127.0.0.1:${port}/?to=${encodeURIComponent(to)}`;
    await expect(guardedFetch(address), to).rejects.toMatchObject({ reason: 'address_blocked' });
    expect((await guardedFetch(address, { redirect: 'manual' })).status).toBe(302);
  }
});

test('R-037 what the operator allows is reached: by network, by address and by name', async () => {
  const ways: readonly [readonly string[], string][] = [
    [['127.0.0.0/8'], `http://127.0.0.1:${port}/`],
    [['127.0.0.1'], `http://2130706433:${port}/`],
    [['127.0.0.1'], `http://music.home.arpa:${port}/`],
    [['Music.Home.Arpa'], `http://music.home.arpa:${port}/`],
  ];
  for (const [allow, address] of ways) {
    const { guardedFetch } = guardedNetwork({ allow, resolve: resolveTo(['127.0.0.1']) });
    const response = await guardedFetch(address, { method: 'POST', body: 'hello', headers: { 'x-test': 'yes' } });
    expect(response).toBeInstanceOf(Response);
    expect(await response.text()).toBe('POST yes hello');
  }
  const { guardedFetch } = guardedNetwork({ allow: ['music.home.arpa'], resolve: resolveTo(['127.0.0.1']) });
  await expect(guardedFetch(`http://other.home.arpa:${port}/`)).rejects.toMatchObject({ reason: 'address_blocked' });
});

test('addresses are told apart to the bit', () => {
  const policy = addressPolicy(['192.168.1.0/24', 'fd12::/16']);
  const refused =
    '192.168.2.1 10.0.0.0 172.31.255.255 100.64.0.1 198.19.0.1 203.0.113.9 fc00::1 fe80::1%eth0 ff02::1 2001::1 4000::1 224.0.0.1 255.255.255.255 100.100.100.200 ::ffff:10.1.2.3 64:ff9b:1::1 nonsense';
  for (const address of refused.split(' ')) expect(policy.refusal(address, 'h'), address).toBeDefined();
  const fine =
    '192.168.1.77 ::ffff:192.168.1.77 fd12::1 8.8.8.8 172.32.0.1 172.15.0.1 11.0.0.1 100.128.0.1 2606:4700::1111 64:ff9b::8.8.8.8 ::ffff:8.8.8.8';
  for (const address of fine.split(' ')) expect(policy.refusal(address, 'h'), address).toBeUndefined();
});

test('everything cannot be allowed, and that is said', () => {
  for (const entry of ['0.0.0.0/0', '::/0']) {
    expect(() => guardedNetwork({ allow: [entry] })).toThrow(
      expect.objectContaining({ message: expect.stringContaining('everything cannot be allowed') }),
    );
  }
});

test('an allow list that says something else than it means is refused', () => {
  for (const entry of [
    '',
    '*',
    'http://host',
    'host:80',
    '10.0.0.0/33',
    '0.0.0.0/0',
    '::/0',
    '10.0.0.0/',
    '127.1',
    '0x7f000001',
    '10.0.0.0/8x',
  ]) {
    expect(() => guardedNetwork({ allow: [entry] }), entry).toThrow(
      expect.objectContaining({ reason: 'bad_allow_list' }),
    );
  }
});

test('an abort ends the request', async () => {
  const hanging = await serve('127.0.0.1', () => {});
  const { guardedFetch } = guardedNetwork({ allow: ['127.0.0.1'] });
  const controller = new AbortController();
  const work = guardedFetch(`http://127.0.0.1:${hanging}/`, { signal: controller.signal });
  controller.abort();
  await expect(work).rejects.toMatchObject({ name: 'AbortError' });
});

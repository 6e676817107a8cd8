// Answers without delay from a process of its own. Arguments: file to write the port to, plays in an answer.
// `/v1/me` says whose token came; anything else is the same page of plays for everybody, as a fake service has it.
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [portFile = '', plays = '0'] = process.argv.slice(2);
const START = Date.UTC(2026, 0, 5);
const page = JSON.stringify({
  plays: Array.from({ length: Number(plays) }, (_, index) => ({
    id: `play-${String(index).padStart(4, '0')}`,
    played_at: START - index * 180_000,
    title: `A song with number ${index}`,
    artist: `Artist ${index % 7}`,
  })),
  next: null,
  total: Number(plays),
});
const server = createServer(({ url = '', headers }, response) => {
  const body = url.endsWith('/me') ? JSON.stringify({ id: headers.authorization, name: 'Somebody' }) : page;
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body);
});
// The parent blocks while it measures: it would not notice connections that are given up in between.
server.keepAliveTimeout = 600_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address) writeFileSync(portFile, String(address.port));
});

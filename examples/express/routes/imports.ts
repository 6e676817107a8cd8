import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeProviders, listImports } from '@mca/core';
import { type Request, type Response, Router } from 'express';
import type { Context } from '../app.ts';
import { importPage } from '../pages/import-page.ts';
import { type BodyOptions, bytesOf } from '../web/body.ts';
import type { Work } from '../web/jobs.ts';
import { formParts } from '../web/multipart.ts';
import { checkOrigin, checkToken, Refusal } from '../web/security.ts';
import { sessionOf } from '../web/session.ts';
import { storeUpload, tooLong, type Upload, type UploadLimits } from '../web/upload.ts';
import { type DateOrder, importAll } from './import-work.ts';

const BUNDLED = fileURLToPath(new URL('../../quickstart/exports', import.meta.url));
const ABOUT = 'import';
const MOST_FILES = 100;
const MOST_FIELDS = 10;
const MOST_FIELD_BYTES = 8_192;

/** Takes files, and imports them once they are on disk. */
export function uploadRoute({ registry, jobs, baseUrl, upload: limits, log }: Context): Router {
  const router = Router();
  /** Uploads that come, or are read: files of those lie on disk. */
  let running = 0;
  router.post('/import', async (request, response) => {
    try {
      checkOrigin(request, baseUrl);
      if (Number(request.headers['content-length'] ?? 0) > limits.mostBytes + 65_536) {
        throw tooLong(limits.mostBytes);
      }
      const { userId } = sessionOf(response);
      if (jobs.isUnderWay(userId, ABOUT)) throw busy();
      // Sessions cost nothing, so there is a limit for everybody together.
      if (running >= limits.atOnce) throw crowded();
      const arrived = Promise.withResolvers<void>();
      // A job from its first byte on: what ends the jobs of a user ends an upload, too.
      const work: Work = async (tell, signal) => {
        // Whoever sent it hears of it in the answer.
        const received = await receive(request, response, { ...limits, signal }).catch(arrived.reject);
        if (!received) return undefined;
        arrived.resolve();
        const { uploads, dateOrder } = received;
        try {
          tell({ text: 'Reading …', done: 0 });
          const files = uploads.map(({ file }) => file);
          return await importAll(registry, { userId, files, dateOrder, signal, tell, log });
        } finally {
          await removeAll(uploads);
        }
      };
      const isStarted = jobs.start(userId, ABOUT, 'Uploading …', async (tell, signal) => {
        running += 1;
        try {
          return await work(tell, signal);
        } finally {
          running -= 1;
        }
      });
      if (!isStarted) throw busy();
      await arrived.promise;
      response.redirect(303, '/import');
    } finally {
      // Browsers hear an answer only when they are through with sending.
      request.resume();
    }
  });
  return router;
}

/** The page of imports, and the button for the exports that come with the examples. */
export function importRoutes({ registry, jobs, upload: { mostBytes: uploadBytes }, log }: Context): Router {
  const router = Router();
  router.get('/import', async (_request, response) => {
    const session = sessionOf(response);
    const { userId } = session;
    const imports = await listImports(registry, { userId });
    const providers = describeProviders(registry);
    const view = { session, providers, imports, job: jobs.of(userId, ABOUT), isBusy: jobs.isBusy(userId), uploadBytes };
    response.send(importPage(view));
  });
  router.post('/import/bundled', async (_request, response) => {
    const { userId } = sessionOf(response);
    const files = (await readdir(BUNDLED)).sort().map((name) => join(BUNDLED, name));
    const isStarted = jobs.start(userId, ABOUT, 'Reading the bundled exports …', (tell, signal) =>
      importAll(registry, { userId, files, signal, tell, log }),
    );
    if (!isStarted) throw busy();
    response.redirect(303, '/import');
  });
  return router;
}

/** The form of the upload: its fields come before its files, which go to disk one after the other. */
async function receive(
  request: Request,
  response: Response,
  { signal, idleMs, mostBytes, folder }: UploadLimits & BodyOptions,
): Promise<Received> {
  const fields: Record<string, string> = {};
  const room = { fields: MOST_FIELDS, bytes: MOST_FIELD_BYTES };
  const uploads: Upload[] = [];
  let left = mostBytes;
  try {
    const parts = formParts(request.headers['content-type'], bytesOf(request, { signal, idleMs }));
    for await (const { name, fileName, bytes } of parts) {
      if (fileName === undefined) {
        fields[name] = await shortText(bytes, room);
        if (name === 'csrf') checkToken(fields.csrf, response);
        continue;
      }
      checkToken(fields.csrf, response);
      // What browsers send for a field nobody has chosen a file in.
      if (fileName === '') continue;
      if (uploads.length === MOST_FILES) throw tooMany();
      const upload = await storeUpload(bytes, { folder, fileName, mostBytes, left });
      left -= upload.size;
      uploads.push(upload);
    }
    if (uploads.length === 0) throw new Refusal(400, 'No file was chosen', 'Choose a file first.');
  } catch (error) {
    await removeAll(uploads);
    if (error instanceof Refusal || (error as NodeJS.ErrnoException).code) throw error;
    throw new Refusal(400, 'The upload broke off', 'Try again.');
  }
  return { uploads, dateOrder: (['DMY', 'MDY', 'YMD'] as const).find((order) => order === fields.dateOrder) };
}

interface Received {
  readonly uploads: readonly Upload[];
  readonly dateOrder: DateOrder | undefined;
}

async function removeAll(uploads: readonly Upload[]): Promise<void> {
  await Promise.all(uploads.map((upload) => upload.remove()));
}

/** A field, in memory; all of a form have to fit into `room`. */
async function shortText(bytes: AsyncIterable<Buffer>, room: { fields: number; bytes: number }): Promise<string> {
  const pieces: Buffer[] = [];
  room.fields -= 1;
  if (room.fields < 0) throw tooMuch();
  for await (const piece of bytes) {
    room.bytes -= piece.length;
    if (room.bytes < 0) throw tooMuch();
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function tooMuch(): Refusal {
  return new Refusal(413, 'This form is too long', 'It has more in it than files and an order of dates.');
}

function tooMany(): Refusal {
  return new Refusal(413, 'These are too many files', `Choose up to ${MOST_FILES}, or the zip that they came in.`);
}

function crowded(): Refusal {
  return new Refusal(429, 'Too many at once', 'Many people upload just now. Try again in a minute.');
}

function busy(): Refusal {
  return new Refusal(409, 'One at a time', 'An import is under way. Wait until it is done.');
}

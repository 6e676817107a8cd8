import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeProviders, listImports } from '@mca/core';
import { type Request, type Response, Router } from 'express';
import type { Context } from '../app.ts';
import { importPage } from '../pages/import-page.ts';
import { type BodyOptions, bytesOf } from '../web/body.ts';
import { formParts } from '../web/multipart.ts';
import { checkOrigin, checkToken, Refusal } from '../web/security.ts';
import { sessionOf } from '../web/session.ts';
import { storeUpload, tooLong, type Upload, type UploadLimits } from '../web/upload.ts';
import { type DateOrder, importAll } from './import-work.ts';

const BUNDLED = fileURLToPath(new URL('../../quickstart/exports', import.meta.url));
const ABOUT = 'import';
const MOST_FIELDS = 10;
const MOST_FIELD_BYTES = 8_192;

/** Takes a file, and imports it once it is on disk. */
export function uploadRoute({ registry, jobs, baseUrl, upload: limits, log }: Context): Router {
  const router = Router();
  router.post('/import', async (request, response) => {
    try {
      checkOrigin(request, baseUrl);
      if (Number(request.headers['content-length'] ?? 0) > limits.mostBytes + 65_536) {
        throw tooLong(limits.mostBytes);
      }
      const { userId } = sessionOf(response);
      const arrived = Promise.withResolvers<void>();
      // A job from its first byte on: what ends the jobs of a user ends an upload, too.
      const isStarted = jobs.start(userId, ABOUT, 'Uploading …', async (tell, signal) => {
        // Whoever sent it hears of it in the answer.
        const received = await receive(request, response, { ...limits, signal }).catch(arrived.reject);
        if (!received) return undefined;
        arrived.resolve();
        const { upload, dateOrder } = received;
        try {
          tell({ text: 'Reading the file …', done: 0 });
          return await importAll(registry, { userId, files: [upload.file], dateOrder, signal, tell, log });
        } finally {
          await upload.remove();
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

/** The form of the upload: its fields come before its file. */
async function receive(
  request: Request,
  response: Response,
  { signal, idleMs, ...place }: UploadLimits & BodyOptions,
): Promise<{ readonly upload: Upload; readonly dateOrder: DateOrder | undefined }> {
  const fields: Record<string, string> = {};
  const room = { fields: MOST_FIELDS, bytes: MOST_FIELD_BYTES };
  try {
    for await (const { name, fileName, bytes } of formParts(
      request.headers['content-type'],
      bytesOf(request, { signal, idleMs }),
    )) {
      if (fileName === undefined) {
        fields[name] = await shortText(bytes, room);
        if (name === 'csrf') checkToken(fields.csrf, response);
        continue;
      }
      checkToken(fields.csrf, response);
      if (fileName === '') throw new Refusal(400, 'No file was chosen', 'Choose a file first.');
      const dateOrder = (['DMY', 'MDY', 'YMD'] as const).find((order) => order === fields.dateOrder);
      return { upload: await storeUpload(bytes, { ...place, fileName }), dateOrder };
    }
  } catch (error) {
    if (error instanceof Refusal || (error as NodeJS.ErrnoException).code) throw error;
    throw new Refusal(400, 'The upload broke off', 'Try again.');
  }
  throw new Refusal(400, 'No file was chosen', 'Choose a file first.');
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
  return new Refusal(413, 'This form is too long', 'It has more in it than a file and an order of dates.');
}

function busy(): Refusal {
  return new Refusal(409, 'One at a time', 'An import is under way. Wait until it is done.');
}

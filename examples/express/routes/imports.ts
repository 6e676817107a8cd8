import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeProviders, listImports } from '@mca/core';
import { type Request, type Response, Router } from 'express';
import type { Context } from '../app.ts';
import { importPage } from '../pages/import-page.ts';
import { formParts } from '../web/multipart.ts';
import { checkOrigin, checkToken, Refusal } from '../web/security.ts';
import { sessionOf } from '../web/session.ts';
import { storeUpload, tooLong, type Upload } from '../web/upload.ts';
import { type DateOrder, importAll } from './import-work.ts';

const BUNDLED = fileURLToPath(new URL('../../quickstart/exports', import.meta.url));
const ABOUT = 'import';

/** Takes a file, and imports it once it is on disk. */
export function uploadRoute({ registry, jobs, baseUrl, uploadBytes }: Context): Router {
  const router = Router();
  router.post('/import', async (request, response) => {
    try {
      checkOrigin(request, baseUrl);
      if (Number(request.headers['content-length'] ?? 0) > uploadBytes + 65_536) throw tooLong(uploadBytes);
      const { userId } = sessionOf(response);
      const { upload, dateOrder } = await receive(request, response, uploadBytes);
      const isStarted = jobs.start(userId, ABOUT, 'Reading the file …', async (tell, signal) => {
        try {
          return await importAll(registry, { userId, files: [upload.file], dateOrder, signal, tell });
        } finally {
          await upload.remove();
        }
      });
      if (!isStarted) {
        await upload.remove();
        throw busy();
      }
      response.redirect(303, '/import');
    } finally {
      // Browsers hear an answer only when they are through with sending.
      request.resume();
    }
  });
  return router;
}

/** The page of imports, and the button for the exports that come with the examples. */
export function importRoutes({ registry, jobs, uploadBytes }: Context): Router {
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
      importAll(registry, { userId, files, signal, tell }),
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
  mostBytes: number,
): Promise<{ readonly upload: Upload; readonly dateOrder: DateOrder | undefined }> {
  const fields: Record<string, string> = {};
  try {
    for await (const { name, fileName, bytes } of formParts(request)) {
      if (fileName === undefined) {
        fields[name] = await shortText(bytes);
        continue;
      }
      checkToken(fields.csrf, response);
      if (fileName === '') throw new Refusal(400, 'No file was chosen', 'Choose a file first.');
      const dateOrder = (['DMY', 'MDY', 'YMD'] as const).find((order) => order === fields.dateOrder);
      return { upload: await storeUpload(bytes, { fileName, mostBytes }), dateOrder };
    }
  } catch (error) {
    if (error instanceof Refusal || (error as NodeJS.ErrnoException).code) throw error;
    throw new Refusal(400, 'The upload broke off', 'Try again.');
  }
  throw new Refusal(400, 'No file was chosen', 'Choose a file first.');
}

async function shortText(bytes: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const piece of bytes) {
    text += piece.toString('utf8');
    if (text.length > 1_000) throw new Refusal(400, 'This did not work', 'The form was not understood.');
  }
  return text;
}

function busy(): Refusal {
  return new Refusal(409, 'One at a time', 'An import is under way. Wait until it is done.');
}

import { request as send } from 'node:http';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { connectionId, FakeBrowser, jobOn, startForTest } from './http-rig.ts';
import type { Running } from './start.ts';
import { type Job, Jobs, type JobView } from './web/jobs.ts';

let app: Running;
beforeAll(async () => {
  app = await startForTest({}, [], 20);
});
afterAll(() => app.close());

test('one stream tells of all jobs of a user, in order for each, and ends with the last; others hear nothing', async () => {
  const [ana, ben] = [new FakeBrowser(app.url), new FakeBrowser(app.url)];
  for (const who of [ana, ben]) await who.connect();
  await ana.post(`/connections/${await connectionId(ana)}/sync`);
  await ana.post('/import/bundled');
  await ben.post(`/connections/${await connectionId(ben)}/sync`);
  const [sync, upload, bens] = [await jobOn(ana, '/'), await jobOn(ana, '/import'), await jobOn(ben, '/')];
  expect(new Set([sync, upload, bens]).size).toBe(3);

  const [events, text] = await Promise.all([ana.events(), ana.text('/jobs/events')]);
  expect(new Set(events.map(({ view }) => view.job))).toEqual(new Set([sync, upload]));
  expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1));
  for (const job of [sync, upload]) {
    const own = events.filter(({ view }) => view.job === job);
    expect(own.length).toBeGreaterThan(2);
    expect(own.map(({ name }) => name)).toEqual([...own.slice(1).map(() => 'progress'), 'done']);
    const done = own.map(({ view }) => view.done);
    expect(done).toEqual(done.toSorted((a, b) => a - b));
  }
  expect(text.endsWith('event: end\ndata: {}\n\n')).toBe(true);
  expect(text).not.toContain(bens);
  expect(new Set((await ben.events()).map(({ view }) => view.job))).toEqual(new Set([bens]));
  // Whoever has none hears nothing at all.
  expect((await new FakeBrowser(app.url).get('/jobs/events')).status).toBe(404);
  // Those who come late hear how it ended.
  expect((await ana.events(upload)).map(({ name }) => name)).toEqual(['done']);
}, 30_000);

/** Work whose steps and end the test decides. */
function work() {
  const end = Promise.withResolvers<JobView>();
  const steps: ((view: JobView) => void)[] = [];
  const run = (tell: (view: JobView) => void): Promise<JobView> => {
    steps.push(tell);
    return end.promise;
  };
  return { run, tell: (text: string) => steps[0]?.({ text, done: 1 }), end: () => end.resolve({ ...GOOD }) };
}
const GOOD = { text: 'Done.', done: 2, outcome: 'good' } as const;

test('a job that is started meanwhile is told of, too; whoever leaves hears no more', async () => {
  const jobs = new Jobs(() => expect.fail('nothing fails'));
  const [first, second] = [work(), work()];
  const heard: string[] = [];
  const hear = ({ about, view }: Job) => void heard.push(`${about} ${view.text}`);
  jobs.start('ana', 'one', 'Begun', first.run);
  const ended = new Promise<void>((done) => void jobs.listen('ana', hear, done));
  const gone: string[] = [];
  jobs.listen(
    'ana',
    ({ about }) => void gone.push(about),
    () => expect.fail('had left'),
  )?.();
  jobs.start('ana', 'two', 'Begun', second.run);
  jobs.start('ben', 'three', 'Begun', work().run);
  first.tell('half');
  first.end();
  await expect.poll(() => heard.at(-1)).toBe('one Done.');
  second.tell('half');
  second.end();
  await ended;
  expect(heard).toEqual(['one Begun', 'two Begun', 'one half', 'one Done.', 'two half', 'two Done.']);
  expect(gone).toEqual(['one']);
});

test('a browser that goes away leaves no listener behind', async () => {
  const left: string[] = [];
  const { listen } = Jobs.prototype;
  const spy = vi.spyOn(Jobs.prototype, 'listen').mockImplementation(function (this: Jobs, userId, hear, end) {
    const stop = listen.call(this, userId, hear, end);
    if (!stop) return undefined;
    return () => {
      left.push(userId);
      stop();
    };
  });
  try {
    const who = new FakeBrowser(app.url);
    await who.connect();
    await who.post(`/connections/${await connectionId(who)}/sync`);
    const request = send(`${app.url}/jobs/events`, { headers: { cookie: who.cookie } }, (answer) => {
      answer.on('error', () => {}).once('data', () => request.destroy());
    });
    request.on('error', () => {}).end();
    await expect.poll(() => left).toHaveLength(1);
    // The job goes on without it.
    expect((await who.events()).at(-1)).toMatchObject({ name: 'done', view: { outcome: 'good' } });
  } finally {
    spy.mockRestore();
  }
}, 30_000);

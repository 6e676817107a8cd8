import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { describe, expect, test, vi } from 'vitest';

const SCRIPT = readFileSync(new URL('./public/app.js', import.meta.url), 'utf8');

/** An element, as far as the script looks. */
function element(dataset: Readonly<Record<string, string>> = {}, parts: Readonly<Record<string, object>> = {}) {
  return {
    ...{ dataset, textContent: '', disabled: false, href: '', placed: [] as { textContent: string }[] },
    querySelector: (what: string) => parts[what] ?? null,
    querySelectorAll: () => [],
    addEventListener() {},
    after(...nodes: { textContent: string }[]) {
      this.placed.push(...nodes);
    },
    remove: vi.fn(),
  };
}

/** The page: what the script finds by which selector. */
function documentOf(found: Readonly<Record<string, readonly object[]>>, live: object) {
  return {
    querySelector: (what: string) => (what === '#live' ? live : null),
    querySelectorAll: (what: string) => found[what] ?? [],
    createElement: () => element(),
  };
}

describe('jobs on a page', () => {
  function pageWith(ids: readonly string[]) {
    const cards = ids.map((job) => {
      const [bar, text] = [element(), element()];
      text.textContent = 'Running';
      return { job, bar, text, card: element({ job }, { progress: bar, '.job-text': text }) };
    });
    const live = element();
    const listeners = new Map<string, (event: object) => void>();
    const sources: { readyState: number; close: () => void }[] = [];
    function EventSource(this: object, address: string) {
      const source = {
        ...{ address, readyState: 0, close: vi.fn() },
        addEventListener: (name: string, run: (event: object) => void) => listeners.set(name, run),
      };
      sources.push(source);
      return source;
    }
    const document = documentOf({ '[data-job]': cards.map(({ card }) => card) }, live);
    runInNewContext(SCRIPT, { document, EventSource: Object.assign(EventSource, { CLOSED: 2 }) });
    const send = (name: string, data: object = {}) => listeners.get(name)?.({ data: JSON.stringify(data) });
    return { cards, live, sources, send };
  }

  test('six of them need one stream, and each hears its own', () => {
    const { cards, sources, send } = pageWith(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(sources).toHaveLength(1);
    expect(sources[0]).toMatchObject({ address: '/jobs/events' });
    send('progress', { job: 'c', text: '7 records read', done: 7, total: 10 });
    send('progress', { job: 'somebody-elses', text: 'no', done: 1 });
    expect(cards.map(({ text }) => text.textContent)).toEqual([
      ...['Running', 'Running', '7 records read', 'Running', 'Running', 'Running'],
    ]);
    expect(cards[2]?.bar).toMatchObject({ value: 7, max: 10 });
  });

  test.each(['end', 'error'])('one that is not known any more says so after "%s", and offers to reload', (name) => {
    const { cards, live, sources, send } = pageWith(['a']);
    const [{ bar, text } = expect.fail(), source] = [cards[0], sources[0] ?? expect.fail()];
    // A connection that is tried again is no end.
    send('error');
    expect(text.textContent).toBe('Running');
    source.readyState = 2;
    send(name);
    expect(text.textContent).toContain('not known');
    expect(text.placed[0]?.textContent).toContain('Reload');
    expect(bar.remove).toHaveBeenCalled();
    expect(live.textContent).toContain('not known');
    expect(source.close).toHaveBeenCalled();
  });
});

describe('asking about a code', () => {
  /** A page with a code, its clock, and answers one after the other. */
  function pageWith(answers: (() => unknown)[], pollFor = '600000') {
    const [text, button, live] = [element(), element(), element()];
    text.textContent = 'Good until 12:00 UTC.';
    const form = {
      ...element({ pollMs: '5000', pollFor }, { '[data-poll-text]': text, button }),
      action: '/services/songbook/device-code',
    };
    let now = 1_000_000;
    const timers: { readonly run: () => unknown; readonly ms: number }[] = [];
    const fetch = vi.fn(async (_address: string, _init: object) =>
      (answers.shift() ?? expect.fail('asked too often'))(),
    );
    const location = { href: '/services/songbook/device-code', assign: vi.fn() };
    runInNewContext(SCRIPT, {
      ...{ document: documentOf({ '[data-poll-ms]': [form] }, live), location, fetch, URLSearchParams, AbortSignal },
      Date: { now: () => now },
      FormData: class {},
      setTimeout: (run: () => unknown, ms: number) => timers.push({ run, ms }),
    });
    /** Lets the next timer run; answers how long it took. */
    const next = async (): Promise<number> => {
      const { run, ms } = timers.shift() ?? expect.fail('nothing is waited for');
      now += ms;
      await run();
      return ms;
    };
    return { text, button, live, location, fetch, timers, next };
  }

  const json = (body: object) => () => ({ ok: true, json: async () => body });
  const offline = () => {
    throw new TypeError('offline');
  };
  const failing = () => ({ ok: false, json: async () => ({ location: '/of-a-proxy' }) });
  const htmlPage = () => ({
    ok: true,
    json: async () => {
      throw new SyntaxError('<html>');
    },
  });

  test('a request that fails is told, and tried again after a growing pause; then all is well', async () => {
    const pending = json({ pollAfterMs: 5_000 });
    const answers = [pending, offline, failing, htmlPage, pending, json({ location: '/?connected=songbook' })];
    const { text, live, location, next } = pageWith(answers);
    expect(await next()).toBe(5_000);
    expect(text.textContent).toBe('Good until 12:00 UTC.');
    expect(await next()).toBe(5_000);
    expect(text.textContent).toBe('We could not ask just now. We try again in 10 seconds.');
    expect(live.textContent).toBe(text.textContent);
    expect(await next()).toBe(10_000);
    expect(await next()).toBe(20_000);
    expect(text.textContent).toContain('in 40 seconds');
    expect(await next()).toBe(40_000);
    expect(text.textContent).toBe('Good until 12:00 UTC.');
    expect(location.assign).not.toHaveBeenCalled();
    expect(await next()).toBe(5_000);
    expect(location.assign).toHaveBeenCalledWith('/?connected=songbook');
  });

  test('at the end of the code it stops, and says so', async () => {
    const { text, button, fetch, timers, next } = pageWith(
      Array.from({ length: 20 }, () => offline),
      '200000',
    );
    let waited = 0;
    for (let guard = 0; guard < 20 && timers.length > 0; guard += 1) waited += await next();
    expect(waited).toBe(200_000);
    expect(timers).toEqual([]);
    expect(fetch).toHaveBeenCalledTimes(6);
    expect(text.textContent).toBe('This code has ended.');
    expect(button.disabled).toBe(true);
    expect(button.placed[0]?.textContent).toBe('Get a new code');
  });
});

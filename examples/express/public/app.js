// Makes pages livelier. Everything works without it, too.

const live = document.querySelector('#live');

/** For those who do not see it. */
function say(text) {
  if (live && live.textContent !== text) live.textContent = text;
}

// What a page has to tell when it comes: screen readers announce only what changes.
const notice = document.querySelector('.notice p');
if (notice) setTimeout(() => say(notice.textContent), 200);

/** The part of the page around an element, as the server would draw it now. Focus stays where it was. */
async function refresh(id) {
  // What it shows now is true, too, if older.
  const answer = await fetch(location.pathname).catch(() => undefined);
  if (!answer?.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById(id);
  const old = document.getElementById(id);
  if (!fresh || !old) return;
  const hadFocus = old.contains(document.activeElement);
  old.replaceWith(fresh);
  if (hadFocus) fresh.querySelector('button, a')?.focus();
  // Something else may have been begun in another window.
  watchIn(fresh);
}

const NOT_KNOWN = 'It is not known how this ended.';

/** What is under way on this page, by the id of its job. */
const watched = new Map();
let stream;

/** A sync or an import, as it goes on. All of a page hear of it through one stream. */
function watch(job) {
  const bar = job.querySelector('progress');
  const text = job.querySelector('.job-text');
  let told = 0;
  watched.set(job.dataset.job, {
    progress(view) {
      text.textContent = view.text;
      if (!view.total) return;
      bar.max = view.total;
      bar.value = view.done;
      const quarter = Math.floor((view.done / view.total) * 4);
      if (quarter > told) say(view.text);
      told = Math.max(told, quarter);
    },
    async done(view) {
      text.textContent = view.text;
      say(view.text);
      await refresh(job.closest('[id]').id);
      await refresh('imports-list');
    },
    lost() {
      const reload = document.createElement('button');
      reload.type = 'button';
      reload.className = 'button';
      reload.textContent = 'Reload the page';
      reload.addEventListener('click', () => location.reload());
      bar.remove();
      text.textContent = NOT_KNOWN;
      text.after(reload);
      say(NOT_KNOWN);
    },
  });
  if (!stream) stream = listen();
}

function listen() {
  const source = new EventSource('/jobs/events');
  /** Nothing more will come: whatever has not been told by now is not known any more. */
  const end = () => {
    source.close();
    stream = undefined;
    const left = [...watched.values()];
    watched.clear();
    for (const job of left) job.lost();
  };
  source.addEventListener('progress', ({ data }) => {
    const view = JSON.parse(data);
    watched.get(view.job)?.progress(view);
  });
  source.addEventListener('done', ({ data }) => {
    const view = JSON.parse(data);
    const job = watched.get(view.job);
    watched.delete(view.job);
    job?.done(view);
  });
  source.addEventListener('end', end);
  source.addEventListener('error', () => {
    // While it says CONNECTING, browsers try again by themselves; after an answer such as 404 they do not.
    if (source.readyState === EventSource.CLOSED) end();
  });
  return source;
}

function watchIn(part) {
  for (const job of part.querySelectorAll('[data-job]')) if (!watched.has(job.dataset.job)) watch(job);
}
watchIn(document);

/** An upload, with a bar: scripts cannot see how far a plain form is. */
function upload(form) {
  const bar = form.querySelector('[data-upload-bar]');
  const text = form.querySelector('[data-upload-text]');
  const button = form.querySelector('button');
  const end = (message) => {
    bar.hidden = true;
    button.disabled = false;
    text.textContent = message;
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const size = [...form.elements.namedItem('file').files].reduce((sum, file) => sum + file.size, 0);
    if (size > Number(form.dataset.most)) return end('This is too long. Choose fewer or smaller files.');
    const request = new XMLHttpRequest();
    request.upload.addEventListener('progress', ({ loaded, total }) => {
      bar.max = total;
      bar.value = loaded;
      text.textContent = `${Math.round((loaded / total) * 100)} % uploaded`;
    });
    request.addEventListener('load', () => {
      if (request.status === 200) return location.assign(request.responseURL);
      const page = new DOMParser().parseFromString(request.responseText, 'text/html');
      end(page.querySelector('[data-error]')?.textContent ?? 'This did not work.');
    });
    request.addEventListener('error', () => end('The connection was lost. Try again.'));
    request.open('POST', form.action);
    request.send(new FormData(form));
    bar.hidden = false;
    button.disabled = true;
    text.textContent = 'Uploading …';
  });
}
for (const form of document.querySelectorAll('[data-upload]')) upload(form);

const LONGEST_PAUSE_MS = 60_000;

/** A code on another device: asks now and then whether the user has agreed there, for as long as the code is good. */
function poll(form) {
  const text = form.querySelector('[data-poll-text]');
  const button = form.querySelector('button');
  const atFirst = text.textContent;
  const usual = Math.max(1_000, Number(form.dataset.pollMs));
  const until = Date.now() + Number(form.dataset.pollFor);
  let failures = 0;

  const later = (pause) => setTimeout(ask, Math.max(0, Math.min(pause, until - Date.now())));
  const tell = (words) => {
    text.textContent = words;
    say(words);
  };
  const over = () => {
    button.disabled = true;
    const again = document.createElement('a');
    again.className = 'button primary';
    again.href = location.href;
    again.textContent = 'Get a new code';
    button.after(again);
    tell('This code has ended.');
  };
  async function ask() {
    if (Date.now() >= until) return over();
    try {
      const answer = await fetch(form.action, {
        method: 'POST',
        headers: { accept: 'application/json' },
        body: new URLSearchParams(new FormData(form)),
        // Something on the way may keep a connection open, and never answer.
        signal: AbortSignal.timeout(30_000),
      });
      if (!answer.ok) throw new Error('no answer');
      const step = await answer.json();
      if (step.location) return location.assign(step.location);
      if (failures > 0) tell(atFirst);
      failures = 0;
      later(Math.max(1_000, step.pollAfterMs));
    } catch {
      failures += 1;
      const pause = Math.min(LONGEST_PAUSE_MS, usual * 2 ** failures);
      tell(`We could not ask just now. We try again in ${Math.round(pause / 1_000)} seconds.`);
      later(pause);
    }
  }
  later(usual);
}
for (const form of document.querySelectorAll('[data-poll-ms]')) poll(form);

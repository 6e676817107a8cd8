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
  const answer = await fetch(location.pathname);
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById(id);
  const old = document.getElementById(id);
  if (!fresh || !old) return;
  const hadFocus = old.contains(document.activeElement);
  old.replaceWith(fresh);
  if (hadFocus) fresh.querySelector('button, a')?.focus();
}

/** A sync or an import, as it goes on. */
function watch(job) {
  const bar = job.querySelector('progress');
  const text = job.querySelector('.job-text');
  const source = new EventSource(job.dataset.events);
  let told = 0;
  source.addEventListener('progress', ({ data }) => {
    const view = JSON.parse(data);
    text.textContent = view.text;
    if (view.total) {
      bar.max = view.total;
      bar.value = view.done;
      const quarter = Math.floor((view.done / view.total) * 4);
      if (quarter > told) say(view.text);
      told = Math.max(told, quarter);
    }
  });
  source.addEventListener('done', async ({ data }) => {
    source.close();
    const view = JSON.parse(data);
    text.textContent = view.text;
    say(view.text);
    await refresh(job.closest('[id]').id);
    await refresh('imports-list');
  });
  source.addEventListener('error', () => {
    // While it says CONNECTING, browsers try again by themselves; after an answer such as 404 they do not.
    if (source.readyState !== EventSource.CLOSED) return;
    const reload = document.createElement('button');
    reload.type = 'button';
    reload.className = 'button';
    reload.textContent = 'Reload the page';
    reload.addEventListener('click', () => location.reload());
    bar.remove();
    text.textContent = 'It is not known how this ended.';
    text.after(reload);
    say(text.textContent);
  });
}
for (const job of document.querySelectorAll('[data-events]')) watch(job);

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
    const { size } = form.elements.namedItem('file').files[0];
    if (size > Number(form.dataset.most)) return end('This file is too long.');
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

/** A code on another device: asks now and then whether the user has agreed there. */
function poll(form) {
  const csrf = document.querySelector('meta[name=csrf]').content;
  const state = form.elements.namedItem('state').value;
  const ask = async () => {
    const answer = await fetch(form.dataset.poll, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', 'x-csrf-token': csrf },
      body: JSON.stringify({ state }),
    });
    const step = await answer.json();
    if (step.step === 'device') return setTimeout(ask, step.pollAfterMs);
    const provider = form.dataset.poll.split('/').at(-1);
    const said = answer.ok ? { connected: provider } : { failed: provider, because: step.error?.reason ?? '' };
    location.assign(`/?${new URLSearchParams(said)}`);
  };
  setTimeout(ask, Number(form.dataset.pollMs));
}
for (const form of document.querySelectorAll('[data-poll]')) poll(form);

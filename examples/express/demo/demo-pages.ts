import { readFile } from 'node:fs/promises';
import type { FakeOAuthServer, FakeService } from '@mca/core/testing';
import { type Html, html } from '../web/html.ts';
import { CLIENT_ID } from './songbook.ts';

interface Demo {
  readonly oauth: FakeOAuthServer;
  readonly service: FakeService;
  readonly appUrl: string;
}

/** What people see of Songbook. Ada is logged in, whoever looks: it is a demo. */
export function demoPages(demo: Demo): (request: Request) => Promise<Response> {
  return async (request) => {
    const { pathname, origin } = new URL(request.url);
    if (request.method === 'GET' && pathname === '/app.css') return await styleSheet();
    if (request.method === 'GET') return show(demo, request) ?? (await demo.oauth.handle(request));
    // Pages are asked by browsers, which name their origin; the rest are endpoints for apps.
    if (!['/authorize', '/activate', '/your-token', '/'].includes(pathname)) return await demo.oauth.handle(request);
    if (request.headers.get('origin') !== origin)
      return page(demo, 403, 'Not from here', html`<p>Nothing was done.</p>`);
    return await act(demo, request);
  };
}

function show(demo: Demo, request: Request): Response | undefined {
  const { pathname, search, searchParams } = new URL(request.url);
  switch (pathname) {
    case '/':
      return home(demo);
    case '/authorize':
      return consent(demo, search, searchParams);
    case '/activate':
      return activate(demo, searchParams.get('user_code') ?? '');
    case '/your-token':
      return page(
        demo,
        200,
        'A token of your own',
        html`<p>Whoever has it can read Ada's plays.</p>
          <form method="post" action="/your-token"><button class="button primary">Make a token</button></form>`,
      );
    default:
      return undefined;
  }
}

async function act(demo: Demo, request: Request): Promise<Response> {
  const { pathname, search, searchParams } = new URL(request.url);
  const form = new URLSearchParams(await request.text());
  if (pathname === '/authorize') {
    if (!isOurApp(demo, searchParams)) return stranger(demo);
    if (form.get('answer') === 'agree') return await demo.oauth.handle(new Request(request.url));
    const back = new URL(searchParams.get('redirect_uri') ?? '');
    back.search = new URLSearchParams({ error: 'access_denied', state: searchParams.get('state') ?? '' }).toString();
    return new Response(null, { status: 302, headers: { location: back.href } });
  }
  if (pathname === '/activate') {
    demo.oauth.answerDevice(
      (form.get('user_code') ?? '').trim().toUpperCase(),
      form.get('answer') === 'agree' ? 'approve' : 'deny',
    );
    return page(demo, 200, 'Thank you', html`<p>Go back to the app: it goes on by itself.</p>`);
  }
  if (pathname === '/your-token') {
    const { accessToken } = demo.oauth.grant(['plays']);
    return page(
      demo,
      200,
      'Your token',
      html`<p>Copy it into the app. It lasts an hour.</p><p><code>${accessToken}</code></p>`,
    );
  }
  if (form.get('do') === 'play') play(demo);
  if (form.get('do') === 'revoke') for (const grant of demo.oauth.grants) Object.assign(grant, { revoked: true });
  return new Response(null, { status: 303, headers: { location: `/?${form.get('do')}${search}` } });
}

function home(demo: Demo): Response {
  const plays = demo.service.plays('ada').length;
  const grants = demo.oauth.grants.filter(({ revoked }) => !revoked).length;
  return page(
    demo,
    200,
    'Songbook',
    html`<p>A music service on your machine. Ada has ${plays.toLocaleString('en-US')} plays; ${grants} ${grants === 1 ? 'app or token reads' : 'apps or tokens read'} them.</p>
      <form method="post" action="/" class="row">
        <button class="button" name="do" value="play">Play a song now</button>
        <button class="button" name="do" value="revoke">Take all access back</button>
      </form>
      <p>Then sync in <a href="${demo.appUrl}">the app</a>, and see what it says.</p>`,
  );
}

function consent(demo: Demo, search: string, query: URLSearchParams): Response {
  if (!isOurApp(demo, query)) return stranger(demo);
  return page(
    demo,
    200,
    'Let the example app in?',
    html`<p>You are logged in as <strong>Ada</strong>. The example app asks to read what you have played. You can take this back at any time.</p>
      <form method="post" action="/authorize${search}" class="row">
        <button class="button primary" name="answer" value="agree">Agree</button>
        <button class="button" name="answer" value="refuse">Refuse</button>
      </form>`,
  );
}

function activate(demo: Demo, code: string): Response {
  return page(
    demo,
    200,
    'Connect a device',
    html`<form method="post" action="/activate" class="stack">
      <label for="user-code">The code that the app shows</label>
      <input id="user-code" name="user_code" value="${code}" required autocomplete="off" />
      <div class="row">
        <button class="button primary" name="answer" value="agree">Agree</button>
        <button class="button" name="answer" value="refuse">Refuse</button>
      </div>
    </form>`,
  );
}

function isOurApp({ oauth }: Demo, query: URLSearchParams): boolean {
  const isKnown = oauth.behaviour.redirectUris?.includes(query.get('redirect_uri') ?? '') ?? false;
  return isKnown && query.get('client_id') === CLIENT_ID;
}

function stranger(demo: Demo): Response {
  return page(demo, 400, 'Who is asking?', html`<p>Songbook does not know this app.</p>`);
}

function play({ service }: Demo): void {
  const now = Date.now();
  service.add('ada', {
    id: `play-now-${now}`,
    playedAt: now - 1_000,
    title: 'Played just now',
    artist: 'Hollow Orchard',
  });
}

function page({ appUrl }: Demo, status: number, title: string, body: Html): Response {
  const { markup } = html`<!doctype html>
<html lang="en" class="demo">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>${title} – Songbook</title>
    <link rel="stylesheet" href="/app.css" />
  </head>
  <body>
    <main class="narrow"><p class="demo-brand">♫ Songbook</p><h1>${title}</h1>${body}</main>
  </body>
</html>`;
  return new Response(markup, {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': `default-src 'none'; style-src 'self'; form-action 'self' ${appUrl}; frame-ancestors 'none'; base-uri 'none'`,
    },
  });
}

async function styleSheet(): Promise<Response> {
  const css = await readFile(new URL('../public/app.css', import.meta.url), 'utf8');
  return new Response(css, { headers: { 'content-type': 'text/css; charset=utf-8' } });
}

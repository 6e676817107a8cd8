import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Response } from 'express';

/** Somebody who uses this app: one user per browser. */
export interface Session {
  readonly userId: string;
  /** What connect flows are bound to: only this browser has it. */
  readonly sessionBinding: string;
  /** Goes into every form, and comes back with it. */
  readonly csrf: string;
}

const DAY_MS = 86_400_000;
const KEPT_DAYS = 30;

/**
 * Sessions that need no table: a random id in a signed cookie, from which the rest is derived. Beside the id stands the
 * day of the cookie, so that it is renewed while it is used.
 */
export class Sessions {
  readonly #secret: string;
  readonly #isSecure: boolean;
  readonly #name: string;
  readonly #now: () => number;

  constructor(secret: string, isSecure: boolean, now: () => number = Date.now) {
    this.#secret = secret;
    this.#isSecure = isSecure;
    this.#name = isSecure ? '__Host-mca-session' : 'mca-session';
    this.#now = now;
  }

  /** The session that a cookie header tells of, if it is one of ours. */
  of(cookies: string | null | undefined): Session | undefined {
    const known = this.#read(cookies);
    return known && this.#session(known.id);
  }

  /** The session of a browser, or a new one. A cookie that is a day old is renewed: who comes back is not forgotten. */
  open(cookies: string | null | undefined, response: Response): Session {
    const known = this.#read(cookies);
    if (!known) return this.begin(response);
    if (known.day < this.#today()) this.#keep(response, known.id);
    return this.#session(known.id);
  }

  #read(cookies: string | null | undefined): { readonly id: string; readonly day: number } | undefined {
    const value = (cookies ?? '')
      .split(';')
      .map((cookie) => cookie.trim())
      .find((cookie) => cookie.startsWith(`${this.#name}=`))
      ?.slice(this.#name.length + 1);
    const end = value?.lastIndexOf('.') ?? -1;
    if (value === undefined || end < 1) return undefined;
    const signed = value.slice(0, end);
    if (!isSame(value.slice(end + 1), this.#derive(signed, 'signature'))) return undefined;
    const [id = '', day = ''] = signed.split('.');
    // One without a day is as old as can be. Browsers forget it by then; copies of it are not good for ever either.
    return Number(day) < this.#today() - KEPT_DAYS ? undefined : { id, day: Number(day) };
  }

  /** A new user. */
  begin(response: Response): Session {
    const id = randomBytes(32).toString('base64url');
    this.#keep(response, id);
    return this.#session(id);
  }

  /** The browser forgets who it was. */
  end(response: Response): void {
    this.#setCookie(response, '', 0);
  }

  #today(): number {
    return Math.floor(this.#now() / DAY_MS);
  }

  #keep(response: Response, id: string): void {
    const signed = `${id}.${this.#today()}`;
    this.#setCookie(response, `${signed}.${this.#derive(signed, 'signature')}`, (KEPT_DAYS * DAY_MS) / 1_000);
  }

  #session(id: string): Session {
    return {
      // The database never holds what a cookie could be made of.
      userId: `user-${this.#derive(id, 'user')}`,
      sessionBinding: this.#derive(id, 'binding'),
      csrf: this.#derive(id, 'csrf'),
    };
  }

  #derive(id: string, purpose: string): string {
    return createHmac('sha256', this.#secret).update(`${purpose} ${id}`).digest('base64url');
  }

  #setCookie(response: Response, value: string, maxAge: number): void {
    const secure = this.#isSecure ? '; Secure' : '';
    response.append('set-cookie', `${this.#name}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${maxAge}${secure}`);
  }
}

/** Compares without telling by its time how much was right. */
export function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Whether the session began with this very request: whoever sent it brought no cookie of ours. */
export function isNewcomer(response: Response): boolean {
  return response.locals.isNewcomer === true;
}

/** Who sent the request that is being answered. */
export function sessionOf(response: Response): Session {
  return response.locals.session as Session;
}

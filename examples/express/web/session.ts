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

/** Sessions that need no table: a random id in a signed cookie, from which the rest is derived. */
export class Sessions {
  readonly #secret: string;
  readonly #isSecure: boolean;
  readonly #name: string;

  constructor(secret: string, isSecure: boolean) {
    this.#secret = secret;
    this.#isSecure = isSecure;
    this.#name = isSecure ? '__Host-mca-session' : 'mca-session';
  }

  /** The session that a cookie header tells of, if it is one of ours. */
  of(cookies: string | null | undefined): Session | undefined {
    const value = (cookies ?? '')
      .split(';')
      .map((cookie) => cookie.trim())
      .find((cookie) => cookie.startsWith(`${this.#name}=`))
      ?.slice(this.#name.length + 1);
    const [id = '', signature = ''] = value?.split('.') ?? [];
    return isSame(signature, this.#derive(id, 'signature')) ? this.#session(id) : undefined;
  }

  /** A new user. */
  begin(response: Response): Session {
    const id = randomBytes(32).toString('base64url');
    this.#setCookie(response, `${id}.${this.#derive(id, 'signature')}`, 30 * 86_400);
    return this.#session(id);
  }

  /** The browser forgets who it was. */
  end(response: Response): void {
    this.#setCookie(response, '', 0);
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

/** Who sent the request that is being answered. */
export function sessionOf(response: Response): Session {
  return response.locals.session as Session;
}

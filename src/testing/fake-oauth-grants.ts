/** What a fake service knows of one user's consent: all tokens that came of it are one family. */
export interface FakeGrant {
  readonly account: string;
  readonly scopes: readonly string[];
  readonly grantedAt: number;
  revoked: boolean;
  /** The refresh token that is good now. */
  refreshToken: string;
  readonly usedRefreshTokens: Set<string>;
  /** Access tokens and when each ends. */
  readonly accessTokens: Map<string, number>;
  /** The newest access token. */
  accessToken: string;
}

/** The families of tokens a fake service has given out. */
export class FakeGrants {
  readonly #grants: FakeGrant[] = [];
  #issued = 0;

  begin(account: string, scopes: readonly string[], now: number): FakeGrant {
    const grant: FakeGrant = {
      account,
      scopes,
      grantedAt: now,
      revoked: false,
      refreshToken: this.name('refresh'),
      usedRefreshTokens: new Set(),
      accessTokens: new Map(),
      accessToken: '',
    };
    this.#grants.push(grant);
    return grant;
  }

  /** A token nobody can guess that says in which order it came. */
  name(kind: string): string {
    this.#issued += 1;
    const random = crypto.getRandomValues(new Uint8Array(12));
    return `${kind}-${this.#issued}-${Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
  }

  issueAccess(grant: FakeGrant, endsAt: number): string {
    grant.accessToken = this.name('access');
    grant.accessTokens.set(grant.accessToken, endsAt);
    return grant.accessToken;
  }

  byRefreshToken(token: string): FakeGrant | undefined {
    return this.#grants.find((grant) => grant.refreshToken === token || grant.usedRefreshTokens.has(token));
  }

  byAccessToken(token: string): FakeGrant | undefined {
    return this.#grants.find((grant) => grant.accessTokens.has(token));
  }

  get all(): readonly FakeGrant[] {
    return this.#grants;
  }
}

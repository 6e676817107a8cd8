import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { recordFigure } from '../../test/support/reliability.ts';
import type { KeyProvider } from '../contracts/keys.ts';
import { fromBase64Url, toBase64Url } from '../runtime/encoding.ts';
import { systemRandom } from '../runtime/env.ts';
import { DataKeys } from './data-keys.ts';
import { type Sealer, type SealPlace, seal, unseal } from './envelope.ts';
import { insecureKeyRing, keyRing } from './key-ring.ts';

const isFull = process.env.MCA_TEST_FULL === '1';
const PLACE: SealPlace = { userId: 'ana', provider: 'spotify', connectionId: 'c1', field: 'credentials' };
const key = (): string => randomBytes(32).toString('base64');

function sealer(keys: KeyProvider, now = () => 0): Sealer {
  return { keys, random: systemRandom, dataKeys: new DataKeys({ now }) };
}

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => new Error('was accepted'),
    (thrown: unknown) => thrown,
  );
  const { code, reason, message } = error as { code?: string; reason?: string; message: string };
  return code ? `${code} ${reason}` : message;
}

describe('sealing', () => {
  test('R-022 what was sealed opens in its place, and nowhere else', async () => {
    const keys = keyRing({ primary: 'k1', keys: { k1: key() } });
    const sealed = await seal(sealer(keys), PLACE, 'a secret – 🔑');
    expect(sealed).toMatch(/^mca1\.k1(\.[\w-]+){4}$/);
    expect(sealed).not.toContain('secret');
    expect(await unseal(sealer(keys), PLACE, sealed)).toBe('a secret – 🔑');
    const others: Partial<SealPlace>[] = [
      { userId: 'ben' },
      { provider: 'lastfm' },
      { connectionId: 'c2' },
      { field: 'connect-state' },
      // The same characters, shared out differently.
      { userId: 'anas', provider: 'potify' },
    ];
    for (const other of others) {
      expect(await refusal(unseal(sealer(keys), { ...PLACE, ...other }, sealed))).toBe('storage credential_tampered');
    }
  });

  test('R-022 no bit can change, and no tag be shorter', async () => {
    const keys = keyRing({ primary: 'k1', keys: { k1: key() } });
    const sealed = await seal(sealer(keys), PLACE, 'x'.repeat(128));
    expect(sealed.length).toBe(300);
    let refused = 0;
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const bytes = Buffer.from(sealed, 'latin1');
      const index = Math.floor(bit / 8);
      bytes[index] = (bytes[index] ?? 0) ^ (1 << (bit % 8));
      const answer = await refusal(unseal(sealer(keys), PLACE, bytes.toString('latin1')));
      if (['storage credential_tampered', 'configuration key_unavailable'].includes(answer)) refused += 1;
    }
    expect(refused).toBe(2_400);
    const parts = sealed.split('.');
    const tag = fromBase64Url(parts[5] ?? '') ?? new Uint8Array();
    for (let length = 0; length < 16; length += 1) {
      const short = [...parts.slice(0, 5), toBase64Url(tag.subarray(0, length))].join('.');
      expect(await refusal(unseal(sealer(keys), PLACE, short))).toBe('storage credential_tampered');
      // Cut between text and tag elsewhere: the same bytes in the same order.
      const text = fromBase64Url(parts[4] ?? '') ?? new Uint8Array();
      const moved = [parts.slice(0, 4), toBase64Url(text.subarray(0, length)), toBase64Url(tag)].flat().join('.');
      expect(await refusal(unseal(sealer(keys), PLACE, moved))).toBe('storage credential_tampered');
    }
    recordFigure('R-022', `5 swaps, ${refused} bit flips and 16 short tags: all refused`);
  });

  test('R-023 what is no envelope is refused, never handed out', async () => {
    const ring = keyRing({ primary: 'k1', keys: { k1: key() } });
    const plain = ['{"accessToken":"plain"}', 'BQ-token', '', 'mca0.k1.a.b.c.d', 'mca1.k1', 'mca1.k1.a.b.c.d.e'];
    for (const text of plain) {
      expect(await refusal(unseal(sealer(ring), PLACE, text))).toBe('storage credential_tampered');
    }
    const foreign = await seal(sealer(keyRing({ primary: 'k9', keys: { k9: key() } })), PLACE, 'secret');
    expect(await refusal(unseal(sealer(ring), PLACE, foreign))).toBe('configuration key_unavailable');
    const sameName = await seal(sealer(keyRing({ primary: 'k1', keys: { k1: key() } })), PLACE, 'secret');
    expect(await refusal(unseal(sealer(ring), PLACE, sameName))).toBe('storage credential_tampered');
    recordFigure('R-023', `${plain.length} plain texts, 1 unknown and 1 wrong key: all refused`);
  });

  test('R-023 old keys open, disabled ones do not, and passphrases are no keys', async () => {
    const [k1, k2] = [key(), key()];
    const old = await seal(sealer(keyRing({ primary: 'k1', keys: { k1 } })), PLACE, 'secret');
    expect(await unseal(sealer(keyRing({ primary: 'k2', keys: { k1, k2 } })), PLACE, old)).toBe('secret');
    const disabled = keyRing({ primary: 'k2', keys: { k1, k2 }, disabled: ['k1'] });
    expect(await refusal(unseal(sealer(disabled), PLACE, old))).toBe('configuration key_unavailable');
    const wrong = [undefined, '', 'correct horse battery staple', randomBytes(31).toString('base64'), `${k1}AAAA`];
    for (const value of [...wrong, randomBytes(33).toString('base64'), randomBytes(32).toString('hex'), `${k1} `]) {
      expect(() => keyRing({ primary: 'k1', keys: { k1: value } })).toThrowError(/Key "k1" is/);
    }
    expect(() => keyRing({ primary: 'k3', keys: { k1 } })).toThrowError(/not among/);
    expect(() => keyRing({ primary: 'k1', keys: { k1 }, disabled: ['k1'] })).toThrowError(/disabled/);
    expect(() => keyRing({ primary: 'a.b', keys: { 'a.b': k1 } })).toThrowError(/malformed/);
  });

  test('R-025 a key service that is away for ten minutes stops only who was not served lately', async () => {
    let now = 0;
    let isAway = false;
    const ring = keyRing({ primary: 'k1', keys: { k1: key() } });
    const ask = <A>(question: () => Promise<A>) =>
      isAway ? Promise.reject(new Error('KMS: secret body')) : question();
    const service: KeyProvider = {
      primaryKeyId: () => ring.primaryKeyId(),
      wrap: (...given) => ask(() => ring.wrap(...given)),
      unwrap: (...given) => ask(() => ring.unwrap(...given)),
    };
    const mine = sealer(service, () => now);
    const sealed = await seal(mine, PLACE, 'secret');
    isAway = true;
    let served = 0;
    for (now = 0; now < 600_000; now += 10_000) {
      const answer = await unseal(mine, PLACE, sealed).catch((error: unknown) => refusal(Promise.reject(error)));
      if (answer === 'secret') served += 1;
      else expect(answer).toBe('storage key_service_failed');
    }
    expect(served).toBe(30);
    const other = await refusal(seal(mine, PLACE, 'other'));
    expect(other).toBe('storage key_service_failed');
    isAway = false;
    expect(await unseal(mine, PLACE, sealed)).toBe('secret');
    recordFigure(
      'R-025',
      'key service away for 10 min: 5 min of reads succeed, then a typed error; at most 1,000 kept',
    );
  });

  test('R-025 at most a thousand opened keys are kept, the last used ones', async () => {
    const keys = keyRing({ primary: 'k1', keys: { k1: key() } });
    const mine = sealer(keys);
    for (let index = 0; index < 1_100; index += 1) await seal(mine, { ...PLACE, connectionId: `c${index}` }, 'x');
    expect(mine.dataKeys.size).toBe(1_000);
  });

  const writes = isFull ? 100_000 : 5_000;
  test(`R-027 ${writes} writes repeat no IV, and each use of a key is counted`, async () => {
    const keys = keyRing({ primary: 'k1', keys: { k1: key() } });
    const mine = sealer(keys);
    const seen = new Set<string>();
    for (let index = 0; index < writes; index += 1) {
      const [, , wrapped = '', iv = ''] = (await seal(mine, PLACE, 'x')).split('.');
      seen.add(iv).add(wrapped.slice(0, 16));
    }
    expect(seen.size).toBe(2 * writes);
    expect(keys.uses('k1')).toBe(writes);
    expect(keys.uses('k2')).toBe(0);
    recordFigure('R-027', `${writes} writes: 0 repeated IVs, uses counted`);
  });

  test('the key of tests goes the way of real keys', async () => {
    const keys = insecureKeyRing(systemRandom);
    const sealed = await seal(sealer(keys), PLACE, 'secret');
    expect(sealed).toMatch(/^mca1\.insecure\./);
    expect(await unseal(sealer(keys), PLACE, sealed)).toBe('secret');
  });
});

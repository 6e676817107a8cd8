import { BlockList, isIP } from 'node:net';
import { McaError } from '@mca/core/adapter-kit';

/** Decides which addresses may be connected to. */
export interface AddressPolicy {
  /** Why an address may not be connected to; `undefined` when it may. `host` is the name it came from. */
  refusal(address: string, host: string): 'private' | 'never' | undefined;
}

/** Nobody's servers: this network, link-local with the metadata services of clouds, multicast, reserved, broadcast. */
const NEVER_V4 = ['0.0.0.0/8', '169.254.0.0/16', '224.0.0.0/4', '240.0.0.0/4'];
/** Metadata and agent services of clouds outside of link-local. */
const NEVER_V4_HOSTS = ['100.100.100.200/32', '168.63.129.16/32', '192.0.0.192/32'];
const NEVER_V6 = ['::/128', 'fe80::/10', 'fec0::/10', 'ff00::/8', 'fd00:ec2::254/128'];
/** Special-purpose addresses (IANA registries) that no public server has. */
const PRIVATE_V4 = [
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
];
/** Parts of the public range 2000::/3 that are not public after all: Teredo, ORCHID, documentation, 6to4. */
const PRIVATE_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

/**
 * Public addresses only, plus what the operator allows: networks (`192.168.1.0/24`), addresses, and names whatever they
 * resolve to. What is never anybody's server stays refused even then.
 *
 * @throws McaError `configuration` `bad_allow_list`
 */
export function addressPolicy(allow: readonly string[]): AddressPolicy {
  const never = blockList([...NEVER_V4, ...NEVER_V4_HOSTS, ...NEVER_V6]);
  const special = blockList([...PRIVATE_V4, ...PRIVATE_V6]);
  const publicV6 = blockList(['2000::/3']);
  const names = new Set<string>();
  const networks: string[] = [];
  for (const entry of allow) {
    if (isIP(entry.split('/')[0] ?? '') > 0) networks.push(entry);
    else names.add(checkedName(entry));
  }
  const allowed = blockList(networks);

  function isIn(list: BlockList, address: string): boolean {
    return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }

  return {
    refusal(address, host) {
      const plain = plainAddress(address);
      // What cannot be read is not let through.
      if (plain === undefined || isIn(never, plain)) return 'never';
      if (names.has(host.toLowerCase()) || isIn(allowed, plain)) return undefined;
      if (isIn(special, plain)) return 'private';
      return isIP(plain) === 6 && !isIn(publicV6, plain) ? 'private' : undefined;
    },
  };
}

/**
 * The address that packets will go to: IPv4 hidden in IPv6 (mapped, compatible, NAT64) is judged as what it hides, and
 * zones are cut off.
 */
function plainAddress(address: string): string | undefined {
  const bare = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  const family = isIP(bare);
  if (family !== 6) return family === 4 ? bare : undefined;
  const groups = groupsOf(bare);
  if (!groups) return undefined;
  const head = groups
    .slice(0, 6)
    .map((group) => group.toString(16))
    .join(':');
  const hidden = [groups[6] ?? 0, groups[7] ?? 0].flatMap((group) => [group >> 8, group & 255]).join('.');
  const isMapped = head === '0:0:0:0:0:ffff' || head === '0:0:0:0:ffff:0';
  const isNat64 = head === '64:ff9b:0:0:0:0';
  // `::` and `::1` look like compatible addresses and are not.
  const isCompatible = head === '0:0:0:0:0:0' && hidden !== '0.0.0.0' && hidden !== '0.0.0.1';
  return isMapped || isNat64 || isCompatible ? hidden : bare;
}

/** The eight numbers of an IPv6 address. `URL` knows every spelling. */
function groupsOf(address: string): readonly number[] | undefined {
  if (!URL.canParse(`http://[${address}]/`)) return undefined;
  const text = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [before = '', after] = text.split('::');
  const numbers = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((each) => Number.parseInt(each, 16));
  const start = numbers(before);
  const end = after === undefined ? [] : numbers(after);
  return [...start, ...Array.from({ length: 8 - start.length - end.length }, () => 0), ...end];
}

function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIP(address);
    const most = family === 6 ? 128 : 32;
    const prefix = bits === undefined ? most : Number(bits);
    if (!/^\d+$/.test(bits ?? '0') || prefix > most) throw badEntry(network);
    if (prefix < 1) throw everything(network);
    list.addSubnet(address, prefix, family === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}

function checkedName(entry: string): string {
  const name = entry.toLowerCase();
  if (!/^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/.test(name)) throw badEntry(entry);
  // '127.1' and '0x7f000001' are addresses in disguise.
  if (isIP(new URL(`http://${name}/`).hostname) > 0) throw badEntry(entry);
  return name;
}

/** The whole internet is no allow list: somebody meant to turn the guard off. */
function everything(entry: string): McaError {
  return new McaError({
    code: 'configuration',
    reason: 'bad_allow_list',
    message: `"${entry}" in the allow list of guardedNetwork is everything, and everything cannot be allowed.`,
    hint: "Public addresses need no entry. Name the networks of your own servers: '192.168.1.0/24'.",
  });
}

function badEntry(entry: string): McaError {
  return new McaError({
    code: 'configuration',
    reason: 'bad_allow_list',
    message: `"${entry}" in the allow list of guardedNetwork is neither a network nor a host name.`,
    hint: "Write networks as '192.168.1.0/24' and hosts as 'music.home.arpa', without scheme and port.",
  });
}

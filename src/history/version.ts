/** Version of this package; a test compares it with `package.json`, which the root entry cannot read everywhere. */
export const VERSION = '0.1.0';

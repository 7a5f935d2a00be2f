/**
 * Ends the program with a sentence on a Node that is too old: the native packages crash such versions without a word. To be called
 * before anything else is loaded, so this file imports nothing. `command` runs on the Node that npm installed.
 */
export function refuseOlderNode(command: string): void {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 12)) return;
  process.stderr.write(`Error: Motif needs Node 22.12 or newer, this is ${process.versions.node}.\n`);
  process.stderr.write(`In a checkout, ${command} uses the Node that npm ci installed.\n`);
  process.exit(1);
}

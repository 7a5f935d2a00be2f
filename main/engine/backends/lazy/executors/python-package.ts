import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Where the Pythons on the path keep a package, as far as they have it. Takes a tenth of a second for each. */
export async function pythonPackage(name: string): Promise<{ folder: string; python: string }[]> {
  const script = `import importlib.util; print("\\n".join(importlib.util.find_spec("${name}").submodule_search_locations))`;
  const found: { folder: string; python: string }[] = [];
  for (const python of process.platform === 'win32' ? ['python', 'py'] : ['python3', 'python']) {
    try {
      const { stdout } = await promisify(execFile)(python, ['-c', script], { timeout: 5000, windowsHide: true });
      for (const folder of stdout.split(/\r?\n/).filter(Boolean)) found.push({ folder, python });
    } catch {
      // No such Python, or one without the package.
    }
  }
  return found;
}

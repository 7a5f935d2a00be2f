// node summary.mjs FOLDER EXIT_CODE: counts the checks and tests that .ci/run recorded, names what failed, and ends accordingly.
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const [folder, testExitCode] = process.argv.slice(2);
const checks = readFileSync(join(folder, 'checks'), 'utf8').trim().split('\n');
const failures = checks.filter((line) => line.endsWith('failed')).map((line) => `check:${line.split(' ')[0]}`);
let passed = checks.length - failures.length;

const file = join(folder, 'tests.json');
if (existsSync(file)) {
  const report = JSON.parse(readFileSync(file, 'utf8'));
  for (const { name, status, assertionResults } of report.testResults) {
    const place = relative(process.cwd(), name);
    // A file that could not be loaded has no tests and yet failed.
    if (status === 'failed' && !assertionResults.some((test) => test.status === 'failed')) failures.push(place);
    for (const test of assertionResults) {
      if (test.status === 'passed') passed += 1;
      if (test.status === 'failed') failures.push(`${place}: ${test.fullName}`);
    }
  }
}
// A failure that no test shows, such as a build that broke or an error after the tests.
if (testExitCode !== '0' && failures.every((line) => line.startsWith('check:'))) failures.push('npm test');

for (const failure of failures) console.log(`failed: ${failure}`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exit(failures.length > 0 ? 1 : 0);

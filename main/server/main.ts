import { refuseOlderNode } from '../node-version.ts';

refuseOlderNode('npm start');
const { serveEditor } = await import('./serve-editor.ts');
await serveEditor();

// Draws the program's icon from the one that the page shows: `node resources/icons/make.mjs`. electron-builder makes .icns and .ico of it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCanvas, loadImage } from '@napi-rs/canvas';

const size = 1024;
const picture = await loadImage(join(import.meta.dirname, '../../renderer/public/icon.svg'));
picture.width = size;
picture.height = size;
const canvas = createCanvas(size, size);
canvas.getContext('2d').drawImage(picture, 0, 0, size, size);
writeFileSync(join(import.meta.dirname, 'icon.png'), canvas.toBuffer('image/png'));

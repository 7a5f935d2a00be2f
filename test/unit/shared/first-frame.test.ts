import { expect, it } from 'vitest';
import { editSettings, renderedBy } from '../../../shared/domain/edit.ts';

const settings = editSettings.parse({ prompt: 'a dog' });

it('decides by the content of its first picture, not by its place, what an edit is', () => {
  const withPicture = (path: string, hash: string) => renderedBy({ ...settings, firstFrame: { path, hash } });
  expect(withPicture('/a.png', '1')).toEqual(withPicture('/b.png', '1'));
  expect(withPicture('/a.png', '1')).not.toEqual(withPicture('/a.png', '2'));
});

it('leaves edits without a first picture what they always were', () => {
  expect(renderedBy(settings)).not.toHaveProperty('firstFrame');
});

import { AppError } from '../../../shared/ipc/result.ts';
import { type Method, stage } from './method.ts';

/**
 * Textual Inversion (Gal et al., arXiv 2208.01618). Nothing of the model changes: only the rows of the
 * special tokens' embeddings learn [count, text width], through the text encoder, from the whole clip under
 * its full caption.
 */
export const textualInversion: Method = {
  parts: () => ({}),
  stages(recipe, { moving, tokensLearn }) {
    if (!tokensLearn)
      throw new AppError('invalid-input', 'Textual Inversion learns only tokens, and tokens cannot learn here.', {
        hint: 'Give the tokens a learning rate above 0 or, if the text encoder does not fit into memory, choose another method.',
      });
    return [
      stage(recipe, {
        label: 'words',
        steps: moving ? recipe.stepsMotion : recipe.stepsIdentity,
        trains: { words: ['rows'] },
        pictureShare: moving ? 0 : 1,
      }),
    ];
  },
};

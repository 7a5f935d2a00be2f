import { AppError } from '../../shared/ipc/result.ts';
import type { Handlers } from '../../shared/ipc/rpc.ts';
import type { raterCalls, studyCalls } from '../../shared/ipc/study-calls.ts';
import { raterOrder } from '../../shared/study/rater-order.ts';
import { currentOf, raterStateOf } from '../../shared/study/rater-state.ts';
import { studyResults } from '../../shared/study/results.ts';
import type { ServiceParts } from './parts.ts';
import { makeStudy } from './study/make-study.ts';

export function studyHandlers(parts: ServiceParts): Handlers<typeof studyCalls> {
  const { studies, emitter } = parts;
  return {
    'studies.list': () => studies.list(),
    'studies.get': ({ reference }) => studies.get(reference),
    'studies.create': async (input, { signal }) => {
      const study = await makeStudy(parts, input, signal);
      emitter.emit('studies.changed', {});
      return study;
    },
    'studies.remove': ({ reference, withAnswers }) => {
      const study = studies.get(reference);
      const count = studies.answers(study.id).length;
      if (count > 0 && !withAnswers)
        throw new AppError('conflict', `"${study.name}" has ${count === 1 ? '1 answer' : `${count} answers`}.`, {
          hint: 'Keep its results elsewhere, and delete it with its answers.',
        });
      studies.remove(study.id);
      emitter.emit('studies.changed', {});
      return study;
    },
    'studies.results': ({ reference, standIn }) => {
      const study = studies.get(reference);
      const items = studies.items(study.id);
      if (standIn && !items.some(({ a, b }) => a.measures && b.measures))
        throw new AppError('invalid-input', `No clip of "${study.name}" has measures that could stand in for people.`, {
          hint: 'Clips of a table have some; in a study.json they are written beside the file of a clip.',
        });
      const raters = studies.raters(study.id).map(({ name }) => name);
      return studyResults(study, items, studies.answers(study.id), raters, { standIn });
    },
  };
}

/** What the page of a study asks, by the code of its link. Nothing that is answered tells a method. */
export function raterHandlers({ studies, emitter }: ServiceParts): Handlers<typeof raterCalls> {
  function at({ code, rater: name }: { code: string; rater: string }) {
    const study = studies.byCode(code);
    const rater = studies.join(study.id, name);
    const items = studies.items(study.id);
    const order = raterOrder(items, study.settings.seed, rater.name.toLowerCase());
    const answers = () => studies.answers(study.id).filter((each) => each.rater === rater.name);
    const state = () => raterStateOf({ study: study.name, rater: rater.name }, items, order, answers());
    return { rater, items, order, answers, state };
  }
  return {
    'study.about': ({ code }) => {
      const { name, items } = studies.byCode(code);
      return { name, items };
    },
    'study.join': (given) => at(given).state(),
    'study.answer': ({ item, question, answer, milliseconds, ...given }) => {
      const { rater, items, order, answers, state } = at(given);
      const before = answers();
      const current = currentOf(items, order, (item, question) =>
        before.some((each) => each.item === item && each.question === question),
      );
      if (current?.item.id !== item || current.question !== question)
        throw new AppError('conflict', 'This question was answered already, in another window.', {
          hint: 'Here is where that one is now.',
        });
      studies.append(rater, { item, question, answer, aIsLeft: current.aIsLeft, milliseconds });
      emitter.emit('studies.changed', {});
      return state();
    },
    'study.undo': (given) => {
      const { rater, answers, state } = at(given);
      const last = answers().at(-1);
      if (last) {
        const { item, question, aIsLeft } = last;
        studies.append(rater, { item, question, answer: null, aIsLeft, milliseconds: 0 });
        emitter.emit('studies.changed', {});
      }
      return state();
    },
  };
}

import type { Study, StudyResults } from '../../../shared/domain/study.ts';
import type { Services } from '../../app/connection.svelte.ts';
import type { Notices } from '../../app/notices.svelte.ts';
import { studyText } from '../../text/study.ts';
import { StudyPageState } from './study-page.svelte.ts';

/** The library's studies: making them, answering here, and what came out. */
export class StudiesState {
  /** The newest first. */
  list = $state.raw<Study[]>([]);
  results = $state.raw<StudyResults | null>(null);
  standIn = $state(false);
  isMaking = $state(false);
  /** The study that is asked about: whether it is to be deleted. */
  doomed = $state.raw<Study | null>(null);
  /** The study that is answered in this window. */
  page = $state.raw<{ code: string; state: StudyPageState } | null>(null);

  readonly #connection: Services;
  readonly #notices: Notices;
  #making = new AbortController();
  #isOpen = false;

  constructor(connection: Services, notices: Notices) {
    this.#connection = connection;
    this.#notices = notices;
    connection.on('studies.changed', () => void (this.#isOpen && this.load()));
  }

  async open(): Promise<void> {
    this.#isOpen = true;
    this.results = null;
    this.standIn = false;
    this.doomed = null;
    await this.load();
  }

  /** What is being made is given up. */
  close(): void {
    this.#isOpen = false;
    this.#making.abort();
  }

  async load(): Promise<void> {
    await this.#notices.attempt(async () => {
      this.list = await this.#connection.call['studies.list']();
    });
  }

  /** Answers whether it was made. */
  async make(input: { folder: string; name?: string; items: number; seed: number }): Promise<boolean> {
    this.#making = new AbortController();
    this.isMaking = true;
    const made = await this.#notices.attempt(() =>
      this.#connection.call['studies.create'](input, { signal: this.#making.signal }),
    );
    this.isMaking = false;
    if (made) this.#notices.tell(studyText.studies.made(made.name));
    await this.load();
    return made !== undefined;
  }

  async showResults(reference: string, standIn: boolean): Promise<void> {
    await this.#notices.attempt(async () => {
      this.results = await this.#connection.call['studies.results']({ reference, standIn });
      this.standIn = standIn;
    });
  }

  /** For good, with what was answered. */
  async remove({ id, name }: Study): Promise<void> {
    this.doomed = null;
    const removed = await this.#notices.attempt(() =>
      this.#connection.call['studies.remove']({ reference: id, withAnswers: true }),
    );
    if (!removed) return;
    if (this.results?.study.id === id) this.results = null;
    this.#notices.tell(studyText.studies.removed(name));
    await this.load();
  }

  answerHere({ code }: Study): void {
    this.page = { code, state: new StudyPageState(code, this.#connection.call, localStorage) };
  }
}

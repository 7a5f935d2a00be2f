import { AppError } from '../../../shared/ipc/result.ts';
import { type Calls, type Client, callsOf, connect } from '../../../shared/ipc/rpc.ts';
import { type raterCalls, studyContract } from '../../../shared/ipc/study-calls.ts';
import { openSocket } from '../../host/browser-host.ts';
import { studyText } from '../../text/study.ts';

const retryMilliseconds = 1000;

/** The services behind a study's link, which answer nothing else; connects again by itself. */
export class StudyLink {
  isLost = $state(false);
  hasOpened = $state(false);
  readonly call: Calls<typeof raterCalls> = callsOf(studyContract.calls, async (name, input) => {
    if (this.#client === null) throw new AppError('disconnected', studyText.page.lost);
    return (this.#client.call[name] as (input: unknown) => Promise<unknown>)(input);
  });
  #client: Client<typeof studyContract> | null = null;

  async open(): Promise<void> {
    try {
      const port = await openSocket(`${location.pathname}rpc`);
      this.#client = connect(studyContract, port);
      this.isLost = false;
      this.hasOpened = true;
      port.onClose(() => this.#retry());
    } catch {
      this.#retry();
    }
  }

  #retry(): void {
    this.#client = null;
    this.isLost = true;
    setTimeout(() => void this.open(), retryMilliseconds);
  }
}

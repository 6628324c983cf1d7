import type { JSX } from 'preact';
import { reasonOf } from '../../api/client.ts';
import { clearReceiver, readReceiver } from '../../api/receiver.ts';
import { useResource } from '../../api/resource.ts';
import { mayWrite } from '../../api/session.ts';
import { useStream } from '../../api/stream.ts';
import { Page } from '../../shell/page.tsx';
import { announce } from '../../ui/announce.tsx';
import { CopyButton } from '../../ui/copy-button.tsx';
import { Loading } from '../../ui/loading.tsx';
import { ReceivedList } from './received-list.tsx';
import { SendHere } from './send-here.tsx';

/** A target that everybody has at hand: what is sent to it is shown here, with a look at its signature. */
export default function ReceiverScreen(): JSX.Element {
  const received = useResource('receiver', readReceiver, { everyMs: 15_000 });
  useStream({ types: 'received' }, { received: received.reload });
  const clear = async (): Promise<void> => {
    try {
      await clearReceiver();
      received.reload();
    } catch (error) {
      announce(`It could not be cleared: ${reasonOf(error)}.`, { bad: true });
    }
  };
  return (
    <Page
      title="Receiver"
      actions={
        mayWrite.value && (received.now.value?.data.length ?? 0) > 0 ? (
          <button type="button" class="button" onClick={() => void clear()}>
            Clear
          </button>
        ) : undefined
      }
    >
      <p class="quiet">
        This page can be the target of a hook: it shows each event that arrives and checks its signature. The
        last hundred are kept in the dispatcher's memory.
      </p>
      <Loading from={received} what="what was received">
        {({ url, data }) => (
          <>
            <div class="card row spread">
              <span class="mono">{url}</span>
              <CopyButton text={url} what="the receiver's address" label="Copy the address" />
            </div>
            {mayWrite.value ? (
              <SendHere url={url} onMade={received.reload} isFirst={data.length === 0} />
            ) : null}
            {data.length === 0 ? (
              <div class="card">
                <p class="quiet">Nothing has arrived yet.</p>
              </div>
            ) : (
              <ReceivedList all={data} />
            )}
          </>
        )}
      </Loading>
    </Page>
  );
}

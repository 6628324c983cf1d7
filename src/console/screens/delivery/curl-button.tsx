import type { JSX } from 'preact';
import { renderDraft } from '../../api/drafts.ts';
import type { Delivery, Hook, SentRequest } from '../../api/types.ts';
import { draftOf } from '../../model/draft.ts';
import { curlOf } from '../../text/curl.ts';
import { writeJson } from '../../text/exact-json.ts';
import { announce } from '../../ui/announce.tsx';

/** The request of a delivery as a command: as it was sent last, or as the hook would send it now. */
export function CurlButton({
  delivery,
  hook,
}: {
  delivery: Delivery;
  hook: Hook | null;
}): JSX.Element | null {
  const sent = delivery.history?.findLast(({ request }) => request != null)?.request ?? null;
  if (hook === null || !('url' in hook.config) || delivery.payload === null) return null;
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(await commandOf(delivery, hook, sent));
      announce('Copied the request as a curl command. Secrets in it are masked.');
    } catch {
      announce('The command could not be copied.', { bad: true });
    }
  };
  return (
    <button type="button" class="button small-button" onClick={() => void copy()}>
      Copy as curl
    </button>
  );
}

async function commandOf(delivery: Delivery, hook: Hook, sent: SentRequest | null): Promise<string> {
  const plain = compactly(delivery.payload);
  if (hook.handler === 'webhook' && sent !== null) return curlOf(sent, plain);
  // A template decides what the body is.
  const { request } = await renderDraft(draftOf(hook), delivery.event_id);
  return curlOf(sent ?? request, request.body);
}

const compactly = (payload: unknown): string => writeJson(payload, null);

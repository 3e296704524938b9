import { http } from "@/lib/http";
import type { Message, MessagePage } from "@/realtime";

/**
 * The seq of the first message at or after a time (ms), or undefined where all are older. The log is in order of time, so that some
 * 17 requests for one message each find it among 100,000.
 */
export async function findSeqAt(roomId: string, at: number, head: number): Promise<number | undefined> {
  let low = 0;
  let high = head;
  let found: Message | undefined;
  while (low < high) {
    const middle = (low + high) >> 1;
    const message = await firstAfter(roomId, middle);
    if (message === undefined || message.at >= at) {
      found = message ?? found;
      high = middle;
    } else low = message.seq;
  }
  return found?.seq;
}

async function firstAfter(roomId: string, seq: number): Promise<Message | undefined> {
  const page = await http.get<MessagePage>(`/api/rooms/${roomId}/messages`, { query: { after: seq, limit: 1 } });
  return page.messages[0];
}

import fc from "fast-check";
import { expect, it, vi } from "vitest";
import { http } from "@/lib/http";
import { findSeqAt } from "./find-seq-at";

function serve(times: readonly { seq: number; at: number }[]) {
  return vi.spyOn(http, "get").mockImplementation((_, options) => {
    const after = Number(options?.query?.after);
    return Promise.resolve({ messages: times.filter(({ seq }) => seq > after).slice(0, 1), head: 0 } as never);
  });
}

it("finds the first message of a time, however sparse the log is", async () => {
  const log = fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 5 })), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(log, fc.integer({ min: 0, max: 80 }), async (steps, wanted) => {
      const messages: { seq: number; at: number }[] = [];
      let [seq, at] = [0, 0];
      for (const [bySeq, byTime] of steps) messages.push({ seq: (seq += bySeq), at: (at += byTime) });
      serve(messages);
      expect(await findSeqAt("room", wanted, seq + 2)).toBe(messages.find((each) => each.at >= wanted)?.seq);
    }),
  );
});

it("asks seldom in a long room", async () => {
  const get = serve(Array.from({ length: 100_000 }, (_, index) => ({ seq: index + 1, at: index })));
  expect(await findSeqAt("room", 77_777, 100_000)).toBe(77_778);
  expect(get.mock.calls.length).toBeLessThanOrEqual(18);
}, 20_000);

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { toast } from "@/lib/toast";
import type { RoomRole } from "@/realtime";
import { changeRole } from "../api/change-role";
import { removeMember } from "../api/remove-member";
import { membersKey } from "./use-members";
import { useRoomErrorText } from "./use-room-error-text";

function useMemberChange<Change>(roomId: string, change: (change: Change) => Promise<unknown>) {
  const queries = useQueryClient();
  const errorText = useRoomErrorText();
  return useMutation({
    mutationFn: change,
    onSettled: () => queries.invalidateQueries({ queryKey: membersKey(roomId) }),
    onError: (error) => toast(errorText(error), { kind: "error" }),
  });
}

export function useChangeRole(roomId: string) {
  return useMemberChange(roomId, ({ userId, role }: { userId: string; role: RoomRole }) =>
    changeRole(roomId, userId, role),
  );
}

export function useRemoveMember(roomId: string) {
  return useMemberChange(roomId, (userId: string) => removeMember(roomId, userId));
}

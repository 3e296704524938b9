import { http } from "@/lib/http";
import type { MyChanges, User } from "@/realtime";

export function changeAccount(changes: MyChanges): Promise<User> {
  return http.patch("/api/auth/me", changes);
}

import { http } from "@/lib/http";
import type { PasswordChange } from "@/realtime";

/** All other sessions of the account end with it. */
export function changePassword(change: PasswordChange): Promise<void> {
  return http.post("/api/auth/password", change);
}

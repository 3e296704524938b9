import { http } from "@/lib/http";
import { type GrantAnswer, type Registration } from "@/realtime";

/** Make an account and log in to it; the first of a server is its owner's. */
export function register(account: Omit<Registration, "cookie" | "device_token">): Promise<GrantAnswer> {
  return http.post<GrantAnswer>("/api/auth/register", { ...account, cookie: true }, { anonymous: true });
}

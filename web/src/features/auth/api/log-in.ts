import { http } from "@/lib/http";
import { type GrantAnswer, type Login } from "@/realtime";

/** Log in; the refresh token stays in a cookie that no script reads. */
export function logIn(credentials: Pick<Login, "login" | "password">): Promise<GrantAnswer> {
  return http.post<GrantAnswer>("/api/auth/login", { ...credentials, cookie: true }, { anonymous: true });
}

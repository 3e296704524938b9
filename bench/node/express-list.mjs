// The peer: Express that verifies an EdDSA JWT with jose on every request and answers a list from memory.
// `node express-list.mjs PORT ITEMS.json TOKEN_FILE`: serves the JSON array in ITEMS.json, writes a valid token to TOKEN_FILE.
import { readFileSync, writeFileSync } from "node:fs";
import express from "express";
import { SignJWT, generateKeyPair, jwtVerify } from "jose";

const [port, itemsFile, tokenFile] = process.argv.slice(2);
const items = JSON.parse(readFileSync(itemsFile, "utf8"));
const { publicKey, privateKey } = await generateKeyPair("EdDSA", { crv: "Ed25519" });
const token = await new SignJWT({ name: "ada", role: "member" })
  .setProtectedHeader({ alg: "EdDSA", kid: "1" })
  .setIssuer("parlour")
  .setSubject("0190a5d4-0000-7000-8000-000000000000")
  .setIssuedAt()
  .setExpirationTime("10m")
  .sign(privateKey);
writeFileSync(tokenFile, token);

const app = express();

app.use(async (request, response, next) => {
  const [scheme, presented] = (request.headers.authorization ?? "").split(" ");
  try {
    if (scheme !== "Bearer") throw new Error("no bearer token");
    const { payload } = await jwtVerify(presented, publicKey, { issuer: "parlour", algorithms: ["EdDSA"] });
    request.user = payload;
  } catch {
    response.status(401).json({ error: { code: "token_invalid", message: "The access token is not valid." } });
    return;
  }
  next();
});

app.get("/items", (request, response) => response.json(items));

app.listen(Number(port), "127.0.0.1");

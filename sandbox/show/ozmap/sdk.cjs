// What the driver mvno-ozmap-5 has OZmap's own client do, at the address, with
// the keys and the account that its environment names. It prints one JSON line
// for each check; what is checked against the sandbox itself is read there.
"use strict";
const OZMapSDK = require("@ozmap/ozmap-sdk").default;
const { FilterOperator } = require("@ozmap/ozmap-sdk");

const url = process.env.OZMAP_ADDRESS;
const tell = (group, name, ok, detail) => console.log(JSON.stringify({ group, name, ok: ok === true, detail: detail === undefined ? "" : String(detail) }));
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const sandbox = async (path, options) => {
  const r = await fetch(`${url}/_sandbox/${path}`, options);
  return r.status === 204 ? null : r.json();
};
const status = async (promise) => promise.then(() => "none", (e) => e?.status ?? e?.response?.status ?? e);
const logins = async () => (await sandbox("counts"))["ozmap.users.login"] ?? 0;

async function find(sdk) {
  const g = "find by filter";
  const one = await sdk.box.find({ filter: [{ property: "name", operator: FilterOperator.EQUAL, value: "CTO-02" }] });
  tell(g, "one box by its name", one.total === 1 && one.count === 1 && one.start === 0 && one.rows[0].name === "CTO-02", JSON.stringify(one));
  const either = await sdk.box.find({ filter: [[{ property: "name", operator: "=", value: "CTO-01" }, { property: "name", operator: "=", value: "CTO-05" }], { property: "implanted", operator: "=", value: true }], sorter: [{ property: "name", direction: -1 }] });
  tell(g, "a list inside is OR, the order is kept", same(either.rows.map((b) => b.name), ["CTO-05", "CTO-01"]), JSON.stringify(either.rows));
  const near = await sdk.box.find({ filter: [{ property: "coords", operator: FilterOperator.NEAR, value: { lat: -20.66, lng: -43.76, radius: 100 } }] });
  tell(g, "near a place", same(near.rows.map((b) => b.name), ["CTO-01", "CTO-03"]), JSON.stringify(near.rows));
  const inside = await sdk.box.find({ filter: [{ property: "coords", operator: FilterOperator.WITHIN, value: { type: "Polygon", coordinates: [[[-43.77, -20.65], [-43.75, -20.65], [-43.75, -20.61], [-43.77, -20.61], [-43.77, -20.65]]] } }] });
  tell(g, "within a polygon", same(inside.rows.map((b) => b.name), ["CTO-05"]), JSON.stringify(inside.rows));
  const all = await sdk.box.findAll({ batchSize: 2 });
  tell(g, "all, two at a time", all.length === 5 && new Set(all.map((b) => b.id)).size === 5, all.length);
  const second = await sdk.box.find({ page: 2, limit: 2, select: ["name"], populate: ["boxType"] });
  tell(g, "the second page, one field", second.total === 5 && second.start === 2 && same(Object.keys(second.rows[0]).sort(), ["id", "name"]), JSON.stringify(second));
  const first = await sdk.ftthClient.findOne({ filter: [{ property: "code", operator: "like", value: "123|" }] });
  tell(g, "one client by a part of its code", first?.code === "123|123", JSON.stringify(first));
  tell(g, "nobody", (await sdk.ftthClient.findOne({ filter: [{ property: "code", operator: "=", value: "0" }] })) === null);
  return one.rows[0];
}

async function byID(sdk, box) {
  const g = "find by id";
  const again = await sdk.box.findById(box.id);
  tell(g, "a box", again.name === box.name, JSON.stringify(again));
  const whole = await sdk.box.findById(box.id, { populate: ["boxType", "project"] });
  tell(g, "with what it names", whole.boxType.code === "CTO 8" && whole.project.name === "Centro", JSON.stringify(whole));
  tell(g, "nothing there", (await sdk.box.findById("5f0000030000000000009999")) === null);
}

async function create(sdk, box) {
  const g = "create a property with its client";
  const made = await sdk.property.create({
    project: box.project, box: box.id, address: "Rua do SDK, 5", coords: [-43.7601, -20.6601],
    client: { code: "SDK-1", name: "CLIENTE DO SDK", implanted: false }, auto_connect: true,
  });
  tell(g, "its id, box and client", /^[0-9a-f]{24}$/.test(made.id) && made.box === box.id && made.client.code === "SDK-1" && made.client.implanted === false, JSON.stringify(made));
  tell(g, "its drop takes the last free port", made.connections.length === 1 && made.connections[0].port === 8, JSON.stringify(made.connections));
  const by = await sdk.apiInstance.get({ route: "properties/client/SDK-1" });
  tell(g, "found by the client's code", by.length === 1 && by[0].id === made.id, JSON.stringify(by));
  const full = await sdk.apiInstance.get({ route: "ftth-viability/radius", options: { params: { lat: -20.66, lng: -43.76 } } });
  tell(g, "the box is full now", full.viable === true && full.boxes.every((b) => b.id !== box.id) && full.refused_boxes.some((b) => b.id === box.id), JSON.stringify(full));
  tell(g, "a second one has no port", (await status(sdk.property.create({ project: box.project, box: box.id, address: "x", coords: [-43.76, -20.66], client: { code: "SDK-2", implanted: false }, auto_connect: true }))) === 422);
  return made;
}

async function update(sdk, made) {
  const g = "update";
  await sdk.ftthClient.updateById(made.client.id, { implanted: true, observation: "ligado" });
  const client = await sdk.ftthClient.findById(made.client.id);
  tell(g, "the client is implanted", client.implanted === true && client.observation === "ligado" && client.code === "SDK-1", JSON.stringify(client));
  await sdk.property.updateById(made.id, { observation: "SDK-1", address: "Rua do SDK, 6" });
  const property = await sdk.property.findById(made.id);
  tell(g, "the property", property.observation === "SDK-1" && property.address === "Rua do SDK, 6" && property.client.implanted === true, JSON.stringify(property));
  tell(g, "nobody to update", (await status(sdk.ftthClient.updateById("5f0000050000000000009999", { name: "x" }))) === 404);
}

async function remove(sdk, made) {
  const g = "delete";
  await sdk.ftthClient.deleteById(made.client.id);
  const kept = await sdk.property.findById(made.id);
  tell(g, "the client goes, its property and port stay", kept.client === null && kept.connections.length === 1 && (await sdk.ftthClient.findById(made.client.id)) === null, JSON.stringify(kept));
  await sdk.property.deleteById(made.id);
  tell(g, "the property goes", (await sdk.property.findById(made.id)) === null);
  const whole = await sdk.property.create({ project: made.project, box: made.box, address: "x", coords: [-43.76, -20.66], client: { code: "SDK-3", implanted: false }, auto_connect: true });
  await sdk.property.deleteById(whole.id);
  tell(g, "a client goes with its property", (await sdk.ftthClient.findById(whole.client.id)) === null);
}

async function login() {
  const g = "log in again on 401";
  const before = await logins();
  const sdk = new OZMapSDK(url, { login: process.env.OZMAP_LOGIN, password: process.env.OZMAP_PASSWORD });
  tell(g, "without a key the first 401 logs in", (await sdk.box.find({})).total === 5 && (await logins()) === before + 1, await logins());
  tell(g, "then the key serves", (await sdk.project.find({})).total === 2 && (await logins()) === before + 1);
  await sandbox("faults", { method: "POST", body: JSON.stringify({ operation: "ozmap.boxes.list", kind: "expired_token" }) });
  const ended = await status(sdk.box.find({}));
  tell(g, "a key that has ended logs in again", (await logins()) === before + 2, ended);
  tell(g, "and the new one serves", (await sdk.box.find({})).total === 5 && (await logins()) === before + 2);
  const keyed = new OZMapSDK(url, { apiKey: process.env.OZMAP_TOKEN });
  await sandbox("faults", { method: "POST", body: JSON.stringify({ operation: "ozmap.boxes.list", kind: "expired_token" }) });
  tell(g, "so does a key of its own, and the call is repeated", (await keyed.box.find({})).total === 5 && (await logins()) === before + 3);
  tell(g, "a wrong key is told", (await status(new OZMapSDK(url, { apiKey: "wrong" }).box.find({}))) === 401);
  tell(g, "a seller's key may not see customers", (await status(new OZMapSDK(url, { apiKey: process.env.OZLOC_TOKEN }).property.find({}))) === 403);
}

(async () => {
  const sdk = new OZMapSDK(url, { apiKey: process.env.OZMAP_TOKEN });
  const box = await find(sdk);
  await byID(sdk, box);
  const made = await create(sdk, box);
  await update(sdk, made);
  await remove(sdk, made);
  await login();
})()
  .catch((e) => {
    tell("the whole", "ran to its end", false, e?.stack ?? JSON.stringify({ status: e?.status, data: e?.data }));
    process.exitCode = 1;
  })
  // The client's connections and its logger would keep the process for ever.
  .finally(() => process.stdout.write("", () => process.exit()));

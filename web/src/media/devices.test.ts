import { describe, expect, it } from "vitest";
import { chooseDevice, mediaProblem, selectableDevices, type Device } from "./devices";

const devices: Device[] = [
  { id: "default", kind: "audioinput", label: "Default - Headset" },
  { id: "a", kind: "audioinput", label: "Headset" },
  { id: "b", kind: "audioinput", label: "Built-in" },
  { id: "c", kind: "videoinput", label: "Camera" },
  { id: "", kind: "videoinput", label: "" },
];

describe("the device that was chosen", () => {
  it.each([
    ["none", undefined, undefined],
    ["by its id", { id: "b", label: "old name" }, "b"],
    ["by its label where ids have changed", { id: "gone", label: "Headset" }, "a"],
    ["not one that is gone", { id: "gone", label: "Gone" }, undefined],
    ["not one of another kind", { id: "c", label: "Camera" }, undefined],
    ["not by an empty label", { id: "gone", label: "" }, undefined],
  ])("%s", (_, remembered, id) => {
    expect(chooseDevice(devices, "audioinput", remembered)?.id).toBe(id);
  });
});

it("lists each device of a kind once, those without a name or id not", () => {
  expect(selectableDevices(devices, "audioinput").map(({ id }) => id)).toEqual(["a", "b"]);
  expect(selectableDevices(devices, "videoinput").map(({ id }) => id)).toEqual(["c"]);
});

it.each([
  ["NotAllowedError", "refused"],
  ["NotFoundError", "missing"],
  ["OverconstrainedError", "missing"],
  ["NotReadableError", "in-use"],
  ["SecurityError", "refused"],
  ["TypeError", "failed"],
])("explains %s as %s", (name, problem) => {
  expect(mediaProblem(new DOMException("no", name))).toBe(problem);
});

it("takes a closed choice of screens for no problem of a device", () => {
  expect(mediaProblem(new DOMException("no", "NotAllowedError"), "screen")).toBe("dismissed");
});

/** Which sections of the sidebar are collapsed on this device. */

import { create } from "zustand";
import { persist } from "zustand/middleware";
import type { SectionName } from "./sections";

const STORAGE_KEY = "parlour.sidebar";

interface SidebarState {
  collapsed: Record<SectionName, boolean>;
}

const UNFOLDED: SidebarState = { collapsed: { channels: false, directs: false } };

export const useSidebarState = create<SidebarState>()(persist(() => UNFOLDED, { name: STORAGE_KEY, version: 1 }));

export function toggleSection(name: SectionName): void {
  useSidebarState.setState(({ collapsed }) => ({ collapsed: { ...collapsed, [name]: !collapsed[name] } }));
}

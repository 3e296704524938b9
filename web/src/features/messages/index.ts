/** A room's messages and where one writes them. */

export { NotAMember } from "./components/not-a-member";
export { RoomView } from "./components/room-view";
export { StrandedNotice } from "./components/stranded-notice";
export { TimelineSkeleton } from "./components/timeline-skeleton";

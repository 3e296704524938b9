import { useParams } from "react-router";
import { Page, PageHeader } from "@/components/page";
import { CallButtons } from "@/features/calls";
import { NotAMember, RoomView, TimelineSkeleton } from "@/features/messages";
import { RoomHeader, useRoomPanel } from "@/features/rooms";
import { useSearchPanel } from "@/features/search";
import { usePageTitle } from "@/lib/page-title";
import { useRoomName } from "@/lib/room-name";
import { useRoom, useRoomsStatus } from "@/realtime";

/** `/r/:roomId` and `/r/:roomId/m/:messageId`. */
export function RoomRoute() {
  const { roomId = "", messageId } = useParams();
  const room = useRoom(roomId);
  const status = useRoomsStatus();
  const nameOf = useRoomName();
  const name = room === undefined ? "" : nameOf(room);
  usePageTitle(name);
  const roomPanel = useRoomPanel(room);
  const searchPanel = useSearchPanel(roomId);
  return (
    <Page
      header={
        room === undefined ? <PageHeader title="" /> : <RoomHeader room={room} actions={<CallButtons room={room} />} />
      }
      panel={searchPanel ?? roomPanel}
    >
      {room !== undefined ? (
        <RoomView key={room.id} room={room} messageId={messageId} />
      ) : status === "ready" ? (
        <NotAMember roomId={roomId} />
      ) : (
        <TimelineSkeleton />
      )}
    </Page>
  );
}

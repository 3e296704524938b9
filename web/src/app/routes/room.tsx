import { useParams } from "react-router";
import { Page, PageHeader } from "@/components/page";
import { CallButtons } from "@/features/calls";
import { NotAMember, RoomView, TimelineSkeleton } from "@/features/messages";
import { RoomHeader, useRoomPanel } from "@/features/rooms";
import { useSearchPanel } from "@/features/search";
import { useEarlyEnd } from "@/lib/early";
import { usePageTitle } from "@/lib/page-title";
import { useRoomName } from "@/lib/room-name";
import { useRoom, useRoomIdentity, useRoomsStatus } from "@/realtime";

/** `/r/:roomId` and `/r/:roomId/m/:messageId`. What happens in the room draws its conversation again, and nothing around it. */
export function RoomRoute() {
  const { roomId = "", messageId } = useParams();
  const room = useRoomIdentity(roomId);
  const status = useRoomsStatus();
  const nameOf = useRoomName();
  const name = room === undefined ? "" : nameOf(room);
  usePageTitle(name);
  useEarlyEnd(room !== undefined || status === "ready" || status === "error"); // after the composer, which takes over what was written
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
        <Conversation key={room.id} roomId={room.id} messageId={messageId} />
      ) : status === "ready" ? (
        <NotAMember roomId={roomId} />
      ) : (
        <TimelineSkeleton />
      )}
    </Page>
  );
}

function Conversation({ roomId, messageId }: { roomId: string; messageId: string | undefined }) {
  const room = useRoom(roomId);
  return room !== undefined && <RoomView room={room} messageId={messageId} />;
}

import { Ellipsis } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { PersonIcon } from "@/components/people/person-icon";
import { AlertDialog } from "@/components/ui/alert-dialog";
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuLabel,
  DropdownMenuRadioGroup,
  DropdownMenuRadioItem,
  DropdownMenuSeparator,
  DropdownMenuTrigger,
} from "@/components/ui/dropdown-menu";
import { IconButton } from "@/components/ui/icon-button";
import { allowedInRoom, allowedOnServer } from "@/lib/permissions";
import { useSession, type ListedMember, type RoomRole, type RoomIdentity } from "@/realtime";
import { useChangeRole, useRemoveMember } from "../hooks/use-member-changes";
import { useStartDirect } from "../hooks/use-start-direct";

const ROLES: readonly RoomRole[] = ["owner", "moderator", "member", "guest"];

/** A member, and what one may do: write to them, give them a role, remove them. */
export function MemberRow({ member, room }: { member: ListedMember; room: RoomIdentity }) {
  const { t } = useTranslation("rooms");
  const self = useSession()?.user;
  const direct = useStartDirect();
  const changeRole = useChangeRole(room.id);
  const remove = useRemoveMember(room.id);
  const [removing, setRemoving] = useState(false);
  const role = self?.role ?? "guest";
  const isSelf = member.user_id === self?.id;
  const { user } = member;
  const name = user?.display_name ?? t("members.gone");
  const mayName = allowedInRoom(role, room.role, "change_room_roles");
  const isStaff = member.role === "owner" || member.role === "moderator";
  const mayRemove = !isSelf && allowedInRoom(role, room.role, "remove_member") && (!isStaff || mayName);
  const mayWrite = !isSelf && user !== undefined && !user.disabled && allowedOnServer(role);
  return (
    <li className="group flex min-h-11 items-center gap-2.5 rounded-sm px-2 py-0.5 hover:bg-accent">
      {user !== undefined && <PersonIcon person={user} size="md" />}
      <div className="flex min-w-0 flex-1 flex-wrap items-center gap-x-2.5">
        <div className="min-w-[min(7rem,100%)] flex-1">
          <p className="flex flex-wrap gap-x-1">
            <bdi className="truncate font-medium">{name}</bdi>
            {isSelf && <span className="shrink-0 text-muted-foreground">{t("people.you", { ns: "common" })}</span>}
          </p>
          {user !== undefined && <p className="truncate text-sm text-muted-foreground">@{user.username}</p>}
        </div>
        {member.role !== "member" && (
          <span className="text-sm text-muted-foreground">{t(`role.${roleOf(member.role)}`)}</span>
        )}
      </div>
      {(mayWrite || mayName || mayRemove) && (
        <DropdownMenu>
          <DropdownMenuTrigger asChild>
            <IconButton label={t("members.more", { name })} size="sm">
              <Ellipsis />
            </IconButton>
          </DropdownMenuTrigger>
          <DropdownMenuContent align="end">
            {mayWrite && <DropdownMenuItem onSelect={() => direct.mutate(user)}>{t("members.write")}</DropdownMenuItem>}
            {mayName && (
              <>
                {mayWrite && <DropdownMenuSeparator />}
                <DropdownMenuLabel>{t("role.title")}</DropdownMenuLabel>
                <DropdownMenuRadioGroup
                  value={member.role}
                  onValueChange={(to) => changeRole.mutate({ userId: member.user_id, role: roleOf(to) })}
                >
                  {ROLES.map((one) => (
                    <DropdownMenuRadioItem key={one} value={one}>
                      {t(`role.${one}`)}
                    </DropdownMenuRadioItem>
                  ))}
                </DropdownMenuRadioGroup>
              </>
            )}
            {mayRemove && (
              <>
                <DropdownMenuSeparator />
                <DropdownMenuItem destructive onSelect={() => setRemoving(true)}>
                  {t("members.remove")}
                </DropdownMenuItem>
              </>
            )}
          </DropdownMenuContent>
        </DropdownMenu>
      )}
      <AlertDialog
        open={removing}
        onOpenChange={setRemoving}
        title={t("members.removeTitle", { name })}
        description={t("members.removeText")}
        confirm={t("members.removeSubmit")}
        destructive
        busy={remove.isPending}
        onConfirm={() => remove.mutate(member.user_id, { onSuccess: () => setRemoving(false) })}
      />
    </li>
  );
}

function roleOf(role: string): RoomRole {
  return ROLES.find((one) => one === role) ?? "member";
}

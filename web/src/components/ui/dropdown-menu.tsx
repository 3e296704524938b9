import { Check, ChevronRight } from "lucide-react";
import { DropdownMenu as Primitive } from "radix-ui";
import { type ComponentProps } from "react";
import { cn } from "@/lib/cn";
import { Keys } from "./kbd";
import { menuClasses } from "./menu-classes";

export const DropdownMenuTrigger = Primitive.Trigger;
export const DropdownMenuRadioGroup = Primitive.RadioGroup;
export const DropdownMenuSub = Primitive.Sub;

/** Not modal: what hides the rest of the page from screen readers would hide what holds the focus too. */
export function DropdownMenu(props: ComponentProps<typeof Primitive.Root>) {
  return <Primitive.Root modal={false} {...props} />;
}

export function DropdownMenuContent({ className, ...props }: ComponentProps<typeof Primitive.Content>) {
  return (
    <Primitive.Portal>
      <Primitive.Content
        sideOffset={4}
        collisionPadding={8}
        className={cn(menuClasses.content, className)}
        {...props}
      />
    </Primitive.Portal>
  );
}

export interface DropdownMenuItemProps extends ComponentProps<typeof Primitive.Item> {
  destructive?: boolean;
  /** Keys of its shortcut, shown at the end. */
  shortcut?: string;
}

export function DropdownMenuItem({
  className,
  destructive = false,
  shortcut,
  children,
  ...props
}: DropdownMenuItemProps) {
  return (
    <Primitive.Item className={cn(menuClasses.item, destructive && menuClasses.destructive, className)} {...props}>
      {/* `asChild` takes one child: then there is no place for keys. */}
      {shortcut === undefined ? (
        children
      ) : (
        <>
          {children}
          <span className="ms-auto ps-4">
            <Keys keys={shortcut} />
          </span>
        </>
      )}
    </Primitive.Item>
  );
}

export function DropdownMenuRadioItem({ className, children, ...props }: ComponentProps<typeof Primitive.RadioItem>) {
  return (
    <Primitive.RadioItem className={cn(menuClasses.item, "pe-8", className)} {...props}>
      {children}
      <Primitive.ItemIndicator className="absolute end-2">
        <Check aria-hidden />
      </Primitive.ItemIndicator>
    </Primitive.RadioItem>
  );
}

export function DropdownMenuLabel({ className, ...props }: ComponentProps<typeof Primitive.Label>) {
  return <Primitive.Label className={cn(menuClasses.label, className)} {...props} />;
}

export function DropdownMenuSeparator() {
  return <Primitive.Separator className={menuClasses.separator} />;
}

export function DropdownMenuSubTrigger({ className, children, ...props }: ComponentProps<typeof Primitive.SubTrigger>) {
  return (
    <Primitive.SubTrigger className={cn(menuClasses.item, className)} {...props}>
      {children}
      <ChevronRight aria-hidden className="ms-auto rtl:rotate-180" />
    </Primitive.SubTrigger>
  );
}

export function DropdownMenuSubContent({ className, ...props }: ComponentProps<typeof Primitive.SubContent>) {
  return (
    <Primitive.Portal>
      <Primitive.SubContent collisionPadding={8} className={cn(menuClasses.content, className)} {...props} />
    </Primitive.Portal>
  );
}

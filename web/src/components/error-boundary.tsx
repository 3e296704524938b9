import { Component, type ErrorInfo, type ReactNode } from "react";
import { reportError } from "@/lib/report-error";

export interface ErrorBoundaryProps {
  children: ReactNode;
  /** What stands in for the children that broke; `retry` renders them again. */
  fallback: (error: unknown, retry: () => void) => ReactNode;
  /** When it changes, the children are tried again: the address, or the room. */
  resetKey?: string;
}

interface State {
  failed: boolean;
  error: unknown;
  resetKey: string | undefined;
}

/** Keeps what breaks below from taking the rest of the page along. */
export class ErrorBoundary extends Component<ErrorBoundaryProps, State> {
  override state: State = { failed: false, error: undefined, resetKey: this.props.resetKey };

  static getDerivedStateFromError(error: unknown): Partial<State> {
    return { failed: true, error };
  }

  static getDerivedStateFromProps(props: ErrorBoundaryProps, state: State): Partial<State> | null {
    return props.resetKey === state.resetKey ? null : { failed: false, error: undefined, resetKey: props.resetKey };
  }

  override componentDidCatch(error: Error, info: ErrorInfo): void {
    reportError(error, info.componentStack ?? undefined);
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    return this.props.fallback(this.state.error, () => this.setState({ failed: false, error: undefined }));
  }
}

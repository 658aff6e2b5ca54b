/**
 * Limits decided without a round trip: an isolate takes a share of a large limit ahead, and gives from it. Owns the
 * shares of this isolate.
 *
 * What a share holds is charged before it is given, so leases let through no request, token or money more than the
 * store allows; a share that is lost with its isolate is only used too little. The exception is turns at once: a
 * share counts as one running turn, so each isolate may run up to {@link leaseSize} turns where one is counted.
 * Shares are taken where every limit is at least {@link PARTS} times as large, and are at most that part of it.
 */
import {
  type Decision,
  type Limits,
  type Reservation,
  type Settlement,
  type SubjectLimits,
  settleLater,
} from './limits.ts';

interface Share {
  id: string;
  tenant: string;
  /** Of the reservation that was made. */
  tokensEach: number;
  microsEach: number;
  /** How many calls it was taken for. */
  size: number;
  left: number;
  /** Local reservations that are not settled yet. */
  open: number;
  tokensUsed: number;
  microsUsed: number;
  untilMs: number;
  /** Whether the one after it was asked for. */
  hasNext: boolean;
  /** Whether the store knows what it came to. */
  isTold: boolean;
  decision: Extract<Decision, { granted: true }>;
}

export interface LeasedLimitsOptions {
  limits: Limits;
  /** Work that goes on after the answer. */
  defer: (work: Promise<unknown>) => void;
  now: () => number;
  newId: () => string;
}

/** A share is at most this part of a limit. */
export const PARTS = 20;
const MAX_SHARE = 200;
const LEASE_MS = 10_000;
/** A reservation that takes longer counts as cancelled. */
const TAKE_MS = 5000;

/** How many calls a share may be for, given all the limits; 1: no share. */
export function leaseSize({ subjects, tokens, micros }: Reservation): number {
  let smallest = Number.POSITIVE_INFINITY;
  const atMost = (limit: number | undefined, each = 1) => {
    if (limit !== undefined) smallest = Math.min(smallest, limit / Math.max(1, each));
  };
  for (const { limits } of subjects) {
    atMost(limits.requestsPerMinute);
    atMost(limits.tokensPerMinute, tokens);
    atMost(limits.turnsAtOnce);
    atMost(limits.microsPerDay, micros);
    atMost(limits.microsPerMonth, micros);
  }
  return Math.max(1, Math.min(MAX_SHARE, Math.floor(smallest / PARTS)));
}

// long: the methods of one owner share its leases; each is short
export function createLeasedLimits({ limits, defer, now, newId }: LeasedLimitsOptions): Limits {
  /** By tenant and subjects. */
  const shares = new Map<string, Share>();
  /**
   * By name, until when other requests leave the next share to the request that reserves it. A deadline and not a
   * flag: a request that is cancelled while it reserves runs no `finally`.
   */
  const takingUntilMs = new Map<string, number>();
  /** By local reservation. */
  const given = new Map<string, { share: Share; tokens: number; micros: number }>();

  async function takeShare(name: string, reservation: Reservation, size: number): Promise<Share | undefined> {
    const { tenant, tokens, micros } = reservation;
    const id = newId();
    const wanted = { ...reservation, id, requests: size, tokens: tokens * size, micros: micros * size };
    const untilTakenMs = now() + TAKE_MS;
    takingUntilMs.set(name, untilTakenMs);
    const decision = await limits
      .reserve({ ...wanted, holdMs: LEASE_MS + reservation.holdMs })
      .finally(() => {
        if (takingUntilMs.get(name) === untilTakenMs) takingUntilMs.delete(name);
      });
    if (!decision.granted) return undefined;
    const untilMs = now() + LEASE_MS;
    const share: Share = {
      id,
      tenant,
      tokensEach: tokens,
      microsEach: micros,
      size,
      left: size,
      open: 0,
      tokensUsed: 0,
      microsUsed: 0,
      untilMs,
      hasNext: false,
      isTold: false,
      decision,
    };
    const old = shares.get(name);
    shares.delete(name);
    shares.set(name, share);
    if (old) giveBack(old);
    giveBackOld();
    return share;
  }

  /** Once nobody uses it any more, its use is settled in the store. */
  function giveBack(share: Share): void {
    share.left = 0;
    if (share.open > 0 || share.isTold) return;
    share.isTold = true;
    const { id, tenant, tokensUsed, microsUsed } = share;
    settleLater({ limits, defer }, { id, tenant, tokens: tokensUsed, micros: microsUsed });
  }

  /** Shares whose time is up without anybody asking again stand first: they are in the order of being taken. */
  function giveBackOld(): void {
    for (const [name, share] of shares) {
      if (share.untilMs > now()) return;
      shares.delete(name);
      giveBack(share);
    }
  }

  function takeFrom(share: Share, { id, tokens, micros }: Reservation): Decision | undefined {
    if (share.left === 0 || share.untilMs <= now()) return undefined;
    if (tokens > share.tokensEach || micros > share.microsEach) return undefined;
    share.left--;
    share.open++;
    given.set(id, { share, tokens, micros });
    return share.decision;
  }

  return {
    async reserve(reservation) {
      const size = leaseSize(reservation);
      if (size === 1) return limits.reserve(reservation);
      const name = nameOf(reservation);
      const share = shares.get(name);
      const decision = share && takeFrom(share, reservation);
      if (share && decision) {
        // The next share is fetched before this one is used up or expires, so a steady caller never waits for one.
        if (!share.hasNext && (share.left <= Math.floor(size / 4) || share.untilMs - now() <= LEASE_MS / 4)) {
          share.hasNext = true;
          defer(takeShare(name, reservation, size).catch(() => undefined));
        }
        return decision;
      }
      // Requests of one isolate may not wait for one another's work.
      if (now() < (takingUntilMs.get(name) ?? 0)) return limits.reserve(reservation);
      const fresh = await takeShare(name, reservation, size);
      return (fresh && takeFrom(fresh, reservation)) ?? limits.reserve(reservation);
    },

    settle(settlement: Settlement) {
      const local = given.get(settlement.id);
      if (!local) return limits.settle(settlement);
      given.delete(settlement.id);
      const { share } = local;
      share.open--;
      share.tokensUsed += settlement.tokens;
      share.microsUsed += settlement.micros;
      // Calls that used more than they reserved have used up those that are left, too.
      const { size, tokensEach, microsEach } = share;
      if (share.tokensUsed > tokensEach * size || share.microsUsed > microsEach * size) share.left = 0;
      const isOver = share.left === 0 || share.untilMs <= now();
      if (isOver && share.open === 0) giveBack(share);
      return undefined;
    },
  };
}

/** Limits are those of a plan, the same objects each time. */
const numbers = new WeakMap<SubjectLimits, number>();
let counted = 0;

/** The identity of a share: its owner, and the limits that hold for it. */
function nameOf({ tenant, subjects }: Reservation): string {
  let name = `${tenant.length}:${tenant}`;
  for (const subject of subjects) {
    let number = numbers.get(subject.limits);
    if (number === undefined) {
      number = counted++;
      numbers.set(subject.limits, number);
    }
    name += ` ${subject.name.length}:${subject.name}${number}`;
  }
  return name;
}

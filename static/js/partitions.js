// The outbox's shelves in IndexedDB: a partition of ops for each client, with a lease; every method is one transaction.
// @ts-check

/**
 * @typedef {{id: string, kind: string, data: any, born: number}} Op  one own op without an outcome; born: ms, own clock
 * @typedef {[partition: string, order: number]} Key
 * @typedef {Op & {partition: string, order: number, size: number}} Row
 * @typedef {{client: string, owner: string, lesson: number, participant: string, lease: number}} Partition
 *   owner: the client that answers for it; another than its own once it is adopted, and then nothing is added any more
 * @typedef {{client: string, at: number}} Left  a client whose page went at that moment
 */

export const LEASE = 15_000; // ms without renewal (every 5 s) after which the tab counts as closed
const WEEK = 7 * 24 * 3600 * 1000;

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const answer = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** @param {IDBTransaction} transaction @returns {Promise<void>} */
const committed = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error("aborted"));
  });

export class Partitions {
  /** @param {IDBDatabase} db @param {{lesson: number, participant: string}} whose */
  constructor(db, whose) {
    this.db = db;
    this.whose = whose;
    db.onversionchange = () => db.close();
  }

  /** @param {IDBFactory} factory @param {{lesson: number, participant: string}} whose @returns {Promise<Partitions>} */
  static async open(factory, whose) {
    const request = factory.open("lectern-outbox", 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("partitions", { keyPath: "client" });
      const ops = request.result.createObjectStore("ops", { keyPath: ["partition", "order"] });
      ops.createIndex("partition", "partition");
    };
    return new Partitions(await answer(request), whose);
  }

  /** Begin a partition of one's own. @param {string} client @param {number} now */
  claim(client, now) {
    return this.#within(async (partitions) => {
      partitions.put({ client, owner: client, ...this.whose, lease: now });
    });
  }

  /**
   * Take rows away and add others to the own partition.
   * @param {string} client @param {Row[]} added @param {Key[]} removed
   * @returns {Promise<boolean>} false: the partition was adopted or swept away, and nothing was added
   */
  write(client, added, removed) {
    return this.#within(async (partitions, rows) => {
      for (const key of removed) rows.delete(key);
      for (const adopted of new Set(removed.map(([partition]) => partition))) {
        if (adopted !== client && !(await answer(rows.index("partition").count(adopted)))) partitions.delete(adopted);
      }
      const own = await answer(partitions.get(client));
      if (own?.owner !== client) return false;
      for (const row of added) rows.put(row);
      return true;
    });
  }

  /**
   * @param {string} client @param {number} now
   * @returns {Promise<boolean>} false: the own partition was adopted meanwhile, or swept away
   */
  renew(client, now) {
    return this.#within(async (partitions) => {
      let mine = false;
      for (const partition of await this.#all(partitions)) {
        if (partition.owner !== client) continue;
        mine ||= partition.client === client;
        partitions.put({ ...partition, lease: now });
      }
      return mine;
    });
  }

  /** The tab goes away: whoever comes next need not wait for the lease to run out. @param {string} client @param {number} now */
  release(client, now) {
    return this.renew(client, now - LEASE);
  }

  /**
   * Freeze and take over the partitions of the same participant and lesson whose tabs are gone, and sweep out what is old.
   * @param {string} client @param {number} now
   * @param {Left|null} left  known to be gone, unless it has renewed its leases since: pages come back, and tabs are copied
   * @returns {Promise<Row[]>} their ops in order, partition after partition
   */
  adopt(client, now, left) {
    return this.#within(async (partitions, rows) => {
      /** @type {Row[]} */
      const adopted = [];
      for (const partition of await this.#all(partitions)) {
        // A clock set back leaves leases in the future; they are stale as well, and adopting too much is harmless.
        const age = Math.abs(now - partition.lease);
        const gone = partition.owner === left?.client && partition.lease <= left.at;
        if (partition.owner === client || (age < LEASE && !gone)) continue;
        if (age > WEEK) await sweep(partitions, rows, partition.client);
        else if (this.#ours(partition)) adopted.push(...(await takeOver(partitions, rows, partition, client, now)));
      }
      return adopted;
    });
  }

  close() {
    this.db.close();
  }

  /** @param {Partition} partition */
  #ours({ lesson, participant }) {
    return lesson === this.whose.lesson && participant === this.whose.participant;
  }

  /** @param {IDBObjectStore} partitions @returns {Promise<Partition[]>} */
  #all(partitions) {
    return answer(partitions.getAll());
  }

  /**
   * @template T
   * @param {(partitions: IDBObjectStore, rows: IDBObjectStore) => Promise<T>} work
   * @returns {Promise<T>} settled when the transaction is
   */
  async #within(work) {
    const transaction = this.db.transaction(["partitions", "ops"], "readwrite");
    const end = committed(transaction);
    const result = work(transaction.objectStore("partitions"), transaction.objectStore("ops"));
    const [value] = await Promise.all([result, end]);
    return value;
  }
}

/**
 * @param {IDBObjectStore} partitions @param {IDBObjectStore} rows
 * @param {Partition} partition @param {string} client @param {number} now
 * @returns {Promise<Row[]>}
 */
async function takeOver(partitions, rows, partition, client, now) {
  /** @type {Row[]} */
  const all = await answer(rows.index("partition").getAll(partition.client));
  const young = all.filter((row) => now - row.born <= WEEK);
  // An empty one is left alone: its owner may be a sleeping tab, which need not notice.
  if (young.length) partitions.put({ ...partition, owner: client, lease: now });
  for (const row of all) if (!young.includes(row)) rows.delete([row.partition, row.order]);
  return young;
}

/** @param {IDBObjectStore} partitions @param {IDBObjectStore} rows @param {string} client */
async function sweep(partitions, rows, client) {
  partitions.delete(client);
  for (const key of await answer(rows.index("partition").getAllKeys(client))) rows.delete(key);
}

/** How a bucket is reached. What is left out comes from the environment (`AWS_*`) and the shared configuration files, as in every AWS tool. */
export interface S3Options {
  /** The address of another store than AWS, such as `https://storage.example.org`. */
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  /** A profile of the shared configuration files. */
  readonly profile?: string | undefined;
  readonly credentials?:
    | {
        readonly accessKeyId: string;
        readonly secretAccessKey: string;
        readonly sessionToken?: string;
      }
    | undefined;
  /**
   * Says that nobody else publishes to this registry at the same time, for stores that do not write on a condition. Versions may be lost
   * when it is not so.
   */
  readonly singlePublisher?: boolean | undefined;
  /** Where proxies are named. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** How many messages are new, at the tab of messages. */
const MESSAGES_TAB = 2
const MOST = 99

/** count: as the server says it; more than 99 is said as 99+. */
export function showUnread(count: number): void {
  const fail = () => undefined // the page that is shown has no tabs: they are drawn anew with it
  if (count === 0) uni.removeTabBarBadge({ index: MESSAGES_TAB, fail })
  else uni.setTabBarBadge({ index: MESSAGES_TAB, text: count > MOST ? `${MOST}+` : String(count), fail })
}

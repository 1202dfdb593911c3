-- q0: every bid as it is
SELECT auction, bidder, price, date_time FROM bid;
-- q1: dollars as euros
SELECT auction, bidder, CAST(0.908 * price AS DECIMAL(23, 3)) AS price, date_time FROM bid;
-- q2: some auctions
SELECT auction, price FROM bid WHERE MOD(auction, 123) = 0;
-- q3: who sells in some states
SELECT p.name, p.city, p.state, a.id
FROM auction AS a INNER JOIN person AS p ON a.seller = p.id
WHERE a.category = 10 AND (p.state = 'OR' OR p.state = 'ID' OR p.state = 'CA');
-- q4: the average of the winning bids by category
SELECT q.category, AVG(q.final) AS average
FROM (
  SELECT MAX(b.price) AS final, a.category
  FROM auction AS a, bid AS b
  WHERE a.id = b.auction AND b.date_time BETWEEN a.date_time AND a.expires
  GROUP BY a.id, a.category
) AS q
GROUP BY q.category;
-- q5: the auctions with most bids in ten seconds, every two seconds
WITH counted AS (
  SELECT auction, count(*) AS num, window.start AS starttime, window.end AS endtime
  FROM bid
  GROUP BY auction, window(date_time, '10 seconds', '2 seconds')
)
SELECT c.auction, c.num, c.starttime
FROM counted AS c
JOIN (SELECT max(num) AS maxn, starttime FROM counted GROUP BY starttime) AS m
  ON c.starttime = m.starttime AND c.num >= m.maxn;
-- q6: the average of each seller's last ten sales
SELECT seller, avg(final) OVER (
  PARTITION BY seller ORDER BY date_time, id ROWS BETWEEN 10 PRECEDING AND CURRENT ROW) AS average
FROM (
  SELECT a.seller, a.id, b.price AS final, b.date_time
  FROM auction AS a JOIN bid AS b
    ON a.id = b.auction AND b.date_time BETWEEN a.date_time AND a.expires
  QUALIFY row_number() OVER (
    PARTITION BY a.id ORDER BY b.price DESC, b.date_time, b.bidder) = 1
) AS won;
-- q7: the highest bid of every ten seconds
SELECT b.auction, b.price, b.bidder, b.date_time
FROM bid AS b
JOIN (
  SELECT MAX(price) AS maxprice, window.end AS until
  FROM bid GROUP BY window(date_time, '10 seconds')
) AS m
  ON b.price = m.maxprice
  AND b.date_time BETWEEN m.until - INTERVAL 10 SECOND AND m.until;
-- q8: who is new and sells at once
SELECT p.id, p.name, p.starttime
FROM (
  SELECT id, name, window.start AS starttime FROM person
  GROUP BY id, name, window(date_time, '10 seconds')
) AS p
JOIN (
  SELECT seller, window.start AS starttime FROM auction
  GROUP BY seller, window(date_time, '10 seconds')
) AS a
  ON p.id = a.seller AND p.starttime = a.starttime;

// An SMSC made of npm's smpp, driven by JSON lines: orders on stdin, what happens on stdout.
// Its codec knows nothing of ours, so that both ends cannot share a misreading of SMPP 3.4.
'use strict';

const readline = require('node:readline');
const smpp = require('smpp');

const ESME_ROK = 0;
const RECEIPT = 0x04; // esm_class, SMPP 3.4, 5.2.12
const PASSWORD = 'secret';
const BINDS = ['bind_transceiver', 'bind_transmitter', 'bind_receiver'];

let session = null; // the newest bind
let ids = 0;
let mute = false; // submits get no answer while it is true

function say(event, more) {
  process.stdout.write(JSON.stringify({ event, ...more }) + '\n');
}

function onSubmit(pdu) {
  const id = 'N' + (++ids).toString(16).padStart(8, '0');
  const udh = pdu.short_message.udh ? Buffer.concat([].concat(pdu.short_message.udh)) : null;
  say('submit', {
    id,
    phone: pdu.destination_addr,
    source: pdu.source_addr,
    esm_class: pdu.esm_class,
    data_coding: pdu.data_coding,
    registered_delivery: pdu.registered_delivery,
    udh: udh && udh.toString('hex'),
    text: pdu.short_message.message,
  });
  if (!mute) this.send(pdu.response({ command_status: ESME_ROK, message_id: id }));
}

function serve(link) {
  link.on('error', (error) => say('error', { reason: String(error.code || error.message) }));
  link.on('enquire_link', (pdu) => link.send(pdu.response()));
  link.on('unbind', (pdu) => {
    say('unbind', {});
    link.send(pdu.response());
    link.close();
  });
  for (const kind of BINDS) {
    link.on(kind, (pdu) => {
      const status = pdu.password === PASSWORD ? ESME_ROK : smpp.ESME_RINVPASWD;
      link.send(pdu.response({ command_status: status, system_id: 'node' }));
      if (status !== ESME_ROK) return;
      session = link;
      say('bind', { kind, system_id: pdu.system_id, version: pdu.interface_version });
    });
  }
  link.on('submit_sm', onSubmit.bind(link));
}

const orders = {
  // A deliver_sm as it is given; `answered` tells the status of its response.
  deliver({ tag, phone, esm_class, data_coding, octets: hex }) {
    session.deliver_sm(
      {
        source_addr_ton: 1,
        source_addr_npi: 1,
        source_addr: phone,
        destination_addr: '1414',
        esm_class: esm_class || 0,
        data_coding,
        short_message: Buffer.from(hex, 'hex'),
      },
      (pdu) => say('answered', { tag, status: pdu.command_status }),
    );
  },
  receipt({ tag, phone, id, stat }) {
    const text =
      `id:${id} sub:001 dlvrd:001 submit date:2611210500 done date:2611210501 ` +
      `stat:${stat} err:000 text:`;
    const hex = Buffer.from(text, 'ascii').toString('hex');
    orders.deliver({ tag, phone, esm_class: RECEIPT, data_coding: 0, octets: hex });
  },
  mute({ on }) {
    mute = on;
  },
  cut() {
    session.socket.destroy();
  },
  enquire({ tag }) {
    session.enquire_link({}, (pdu) => say('answered', { tag, status: pdu.command_status }));
  },
  unbind({ tag }) {
    session.unbind({}, (pdu) => say('answered', { tag, status: pdu.command_status }));
  },
};

const server = smpp.createServer({}, serve);
server.listen(0, '127.0.0.1', () => say('listening', { port: server.address().port }));
readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const order = JSON.parse(line);
  orders[order.do](order);
}).on('close', () => process.exit(0));
